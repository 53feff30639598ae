//! What can be asked, a file per subject.

mod account;
mod kms;

pub use account::{AccountCreate, AccountKey, AccountLine, AccountList};
pub use kms::{KeyUse, KmsUsage};
