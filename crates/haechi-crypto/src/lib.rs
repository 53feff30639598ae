//! Keys, and everything that is done with them.
//!
//! Why it exists: promise 3 of haechi (key material is plaintext only in zeroizing memory, and never
//! at rest) can only be kept if one small crate holds every secret. The rest of haechi handles
//! sealed bytes, opaque handles and types without `Debug`.
//!
//! ```text
//! seal (file | passphrase | PKCS#11 | Shamir) seal.rs, seal/*.rs
//!   └─ root key, one locked page              root.rs, memory.rs
//!        └─ domain keys, rotated daily        keyring.rs       seals every stored value
//!             └─ key material (HBK)           material.rs      one KMS key, one generation
//!                  └─ a fresh key per call    ciphertext.rs    what KMS Encrypt returns
//! ```
//!
//! Beside the symmetric material stand the key pairs and HMAC keys, by [`KeySpec`]:
//!
//! ```text
//! KeyMaterial (material.rs)  sign, decrypt, derive_shared_secret, decapsulate, generate_mac
//!   └─ PublicKey             verify, encrypt, encapsulate                   public_key.rs
//! rsa.rs · elliptic_curve.rs · ed25519.rs · ml_dsa.rs · ml_kem.rs · hmac.rs   one family each
//! import.rs                  key material that a customer brings, wrapped under an RSA key
//! external_key.rs            KMS keys as the external keys of another KMS
//! notification.rs            the key that signs SNS's messages
//! token_keys.rs              keys that stay inside a hardware token, for custom key stores
//! transport.rs               secrets on their way to another deployment (HPKE)
//! ```
//!
//! For people: passwords (`password.rs`, Argon2id) and one-time codes (`totp.rs`, RFC 6238).
//!
//! Cryptography is aws-lc-rs. What it lacks: Argon2id (`argon2`), Ed25519ph (`ed25519-dalek`),
//! ML-DSA with an external μ (`ml-dsa`), an ML-KEM key from its seed (`ml-kem`), RSA signatures over
//! SHA-1 (`crypto-bigint`), and a fast secp256k1 (`k256`); HPKE is rustls's, over aws-lc-rs. Randomness
//! is a parameter ([`Random`]), time too; where AWS-LC insists on its
//! own generator, the call says so.
//!
//! **Invariant:** `unsafe` exists in `memory.rs` and `memory/`, and nowhere else in the project.

mod aead;
mod canonical;
mod der;
mod derive;
mod error;
mod fips;
mod hardening;
#[cfg(test)]
mod hex;
mod memory;
#[cfg(test)]
mod vectors;

pub mod ciphertext;
pub mod ed25519;
pub mod elliptic_curve;
pub mod encryption;
pub mod external_key;
pub mod hmac;
pub mod import;
pub mod key_spec;
pub mod keyring;
pub mod material;
pub mod ml_dsa;
pub mod ml_kem;
pub mod notification;
pub mod password;
pub mod public_key;
pub mod random;
pub mod root;
pub mod rsa;
pub mod seal;
pub mod secret;
pub mod signing;
#[cfg(feature = "pkcs11")]
pub mod token_keys;
pub mod totp;
pub mod transport;

pub use ciphertext::{Blob, BlobKind, DoubledBlob, InvalidCiphertext, MaterialHandle};
pub use elliptic_curve::AgreementError;
pub use encryption::{
    AsymmetricDecryptError, AsymmetricEncryptError, EncryptionAlgorithm, InvalidRsaCiphertext,
};
pub use error::CryptoError;
pub use external_key::ExternalCiphertext;
pub use fips::{FipsError, check_fips, fips_module};
pub use hardening::{HardeningError, process_hardening};
pub use hmac::{HmacMaterial, InvalidMac};
pub use import::{ImportError, WrappingAlgorithm, WrappingKey, WrappingKeySpec};
pub use key_spec::KeySpec;
pub use keyring::{Keyring, KeyringError, Purpose, WrappedKey};
pub use material::{KeyMaterial, MaterialContext, MaterialError, SymmetricMaterial};
#[cfg(feature = "mimalloc")]
pub use memory::Mimalloc;
pub use memory::WipingAllocator;
pub use ml_kem::{DecapsulateError, EncapsulateError, Encapsulation};
pub use notification::NotificationKey;
pub use password::PasswordHash;
pub use public_key::{InvalidPublicKey, PublicKey};
pub use random::{Random, SystemRandom};
pub use root::RootKey;
pub use seal::{SealConfig, SealError, SealRequest};
pub use secret::{SecretBytes, SecretVec};
pub use signing::{MessageType, SignError, SigningAlgorithm, VerifyError};
pub use totp::TotpSeed;
pub use transport::{InvalidTransport, Route, TransportKey, TransportPublicKey};
