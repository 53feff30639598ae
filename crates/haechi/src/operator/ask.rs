//! What can be asked, a file per subject.

mod account;
mod explain;
mod kms;

pub use account::{AccountCreate, AccountKey, AccountLine, AccountList};
pub use explain::IamExplain;
pub use kms::{KeyUse, KmsUsage};
