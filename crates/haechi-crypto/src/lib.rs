//! Keys, and everything that is done with them.
//!
//! Why it exists: promise 3 of haechi (key material is plaintext only in zeroizing memory, and never
//! at rest) can only be kept if one small crate holds every secret. The rest of haechi handles
//! sealed bytes, opaque handles and types without `Debug`.
//!
//! ```text
//! seal (file | passphrase | PKCS#11)          seal.rs, seal/*.rs
//!   └─ root key, one locked page              root.rs, memory.rs
//!        └─ domain keys, rotated daily        keyring.rs       seals every stored value
//!             └─ key material (HBK)           material.rs      one KMS key, one generation
//!                  └─ a fresh key per call    ciphertext.rs    what KMS Encrypt returns
//! ```
//!
//! Cryptography is aws-lc-rs throughout (AES-256-GCM, HMAC-SHA-256, KBKDF of SP 800-108); Argon2id
//! is the one primitive that it lacks. Randomness is always a parameter ([`Random`]), time too.
//!
//! **Invariant:** `unsafe` exists in `memory.rs` and nowhere else in the project.

mod aead;
mod canonical;
mod derive;
mod error;
mod hardening;
#[cfg(test)]
mod hex;
mod memory;

pub mod ciphertext;
pub mod keyring;
pub mod material;
pub mod random;
pub mod root;
pub mod seal;
pub mod secret;

pub use ciphertext::{Blob, BlobKind, InvalidCiphertext, MaterialHandle};
pub use error::CryptoError;
pub use hardening::{HardeningError, process_hardening};
pub use keyring::{Keyring, KeyringError, Purpose, WrappedKey};
pub use material::{KeyMaterial, MaterialContext, MaterialError, SymmetricMaterial};
pub use random::{Random, SystemRandom};
pub use root::RootKey;
pub use seal::{SealConfig, SealError, SealRequest};
pub use secret::{SecretBytes, SecretVec};
