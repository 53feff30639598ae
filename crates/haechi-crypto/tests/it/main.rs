//! The crate through its public interface: a whole life of a data directory, a hardware token, and
//! the process-wide protections.

mod child;
mod hardening;
mod lifecycle;
#[cfg(feature = "pkcs11")]
mod softhsm;
