//! What can be asked, a file per subject.

mod account;
mod explain;
mod kms;
mod peer;
mod rekey;
mod secrets;
mod store;
mod xks;

pub use account::{AccountCreate, AccountKey, AccountLine, AccountList};
pub use explain::IamExplain;
pub use kms::{KeyUse, KmsUsage};
pub use peer::{PeerAdd, PeerCard, PeerLine, PeerList, PeerRemove};
pub use rekey::{NewSeal, Prepared, RekeyAdopt, RekeyCommit, RekeyFinish, RekeyPrepare, Rekeyed};
pub use secrets::{AttachedHook, SecretsAttach};
pub use store::{StoreMove, StoreMoved, hexadecimal};
pub use xks::{XksCreate, XksCredentialCreate, XksCredentialDelete, XksDelete, XksLine, XksList};
