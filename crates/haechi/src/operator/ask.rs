//! What can be asked, a file per subject.

mod account;
mod explain;
mod kms;
mod secrets;

pub use account::{AccountCreate, AccountKey, AccountLine, AccountList};
pub use explain::IamExplain;
pub use kms::{KeyUse, KmsUsage};
pub use secrets::SecretsAttach;
