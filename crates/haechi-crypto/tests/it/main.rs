//! The crate through its public interface: a whole life of a data directory, a hardware token, and
//! the process-wide protections.

#[cfg(test)]
mod child;
#[cfg(test)]
mod hardening;
#[cfg(test)]
mod lifecycle;
mod openssl;
#[cfg(feature = "pkcs11")]
#[cfg(test)]
mod softhsm;
