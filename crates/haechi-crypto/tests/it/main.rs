//! The crate through its public interface: a whole life of a data directory, a hardware token,
//! the process-wide protections, and openssl as a second opinion.

#[cfg(test)]
mod child;
#[cfg(test)]
mod forgeries;
#[cfg(test)]
mod hardening;
#[cfg(test)]
mod heap;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod openssl;
#[cfg(feature = "pkcs11")]
#[cfg(test)]
mod softhsm;
#[cfg(feature = "pkcs11")]
#[cfg(test)]
mod token_keys;
