//! From HTTP to a handler and back: every request of every service takes this one way.
//!
//! ```text
//! listener.rs      TCP, TLS or plain, HTTP/1.1 or HTTP/2; limits and time-outs
//!    │
//!    ├ body.rs           reads the body, bounded
//!    └ finish.rs         what has begun is finished, also when the client goes away
//! serve.rs         one request, the stages in order
//!    ├ identify.rs       which service, operation and protocol
//!    ├ authenticate.rs   whose signature
//!    ├ sessions.rs       what temporary credentials cannot call
//!    ├ quotas.rs         how many requests of an account
//!    ├ (router)          decode, validate, handle
//!    ├ invalid.rs        what some services answer to input that breaks their model
//!    ├ record.rs         the CloudTrail record
//!    ├ shown.rs          what it shows that no model tells
//!    ├ answer.rs         the answer, as each protocol renders it
//!    └ done.rs           the record on disk before the answer leaves
//! metrics.rs       what is counted
//! admin.rs         /healthz, /readyz, /metrics on a listener of their own
//! ```
//!
//! **Invariant:** a handler runs only after the caller was authenticated, the input validated and
//! the audit log found healthy; no answer leaves before its record is on disk.

pub mod admin;
mod answer;
pub mod authenticate;
mod body;
pub mod dev;
mod done;
mod finish;
pub mod identify;
mod intent;
mod invalid;
pub mod limits;
pub mod listener;
pub mod metrics;
mod quotas;
mod record;
mod recorder;
mod serve;
mod sessions;
mod shown;

pub use answer::Body;
pub use limits::Limits;
pub use listener::{Listener, ListenerError, Port};
pub use quotas::{QuotaRule, Quotas};
pub use recorder::{record_made, record_unsent};
pub use serve::{Connection, Gateway, Tls};
