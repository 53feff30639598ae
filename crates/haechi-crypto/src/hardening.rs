//! Process-wide protections of memory, switched on once at start.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// A protection that the kernel refused.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot {step}: {source}; a crash could write secrets to disk, so check the sandbox's rules"
)]
pub struct HardeningError {
    /// What was refused.
    pub step: &'static str,
    /// The kernel's answer.
    #[source]
    pub source: std::io::Error,
}

/// Forbids core dumps (`RLIMIT_CORE` 0) and makes the process non-dumpable (`PR_SET_DUMPABLE` 0),
/// which also keeps other processes of the same user from attaching to it or reading its memory.
/// Cannot be undone (the hard limit goes too). Call it before the first secret is read. Afterwards
/// files of `/proc/self` that only the owner may read, such as `fd`, belong to root.
///
/// # Errors
/// When the kernel refuses either step; the first refusal stops.
pub fn process_hardening() -> Result<(), HardeningError> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .map_err(|errno| HardeningError { step: "forbid core dumps", source: errno.into() })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|errno| HardeningError {
        step: "make the process non-dumpable",
        source: errno.into(),
    })
}
