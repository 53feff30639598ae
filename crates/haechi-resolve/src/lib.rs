//! Dynamic references in text: `{{resolve:…}}`, as CloudFormation has them.
//!
//! ```text
//! {{resolve:ssm:name}}            {{resolve:ssm:name:version}}
//! {{resolve:ssm-secure:name}}     {{resolve:ssm-secure:name:version}}
//! {{resolve:secretsmanager:id}}   {{resolve:secretsmanager:id:SecretString:key:stage:version-id}}
//! ```
//! The text is taken apart first, whole: nothing is fetched for a text that is not right. What is
//! fetched comes from a [`Source`]: this crate knows neither network nor store. Results hold secrets
//! and wipe themselves.
//!
//! Source: CloudFormation User Guide, "Get values stored in other services using dynamic
//! references".
//!
//! ```text
//! reference.rs  one reference (pure)
//! resolve.rs    a text with references ─► the text with their values
//! ```

mod reference;
mod resolve;

pub use reference::{InvalidReference, Reference};
pub use resolve::{ResolveError, Source, references, resolve};
