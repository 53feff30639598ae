//! What can be asked, a file per subject.

mod account;
mod explain;
mod kms;
mod xks;
mod secrets;

pub use account::{AccountCreate, AccountKey, AccountLine, AccountList};
pub use explain::IamExplain;
pub use kms::{KeyUse, KmsUsage};
pub use xks::{
    XksCreate, XksCredentialCreate, XksCredentialDelete, XksDelete, XksLine, XksList,
};
pub use secrets::SecretsAttach;
