//! Key material of KMS keys, and the token in which it is stored.
//!
//! A KMS key is a container of key materials (AWS: hardware-bound keys, HBKs): rotation adds one,
//! old ones only decrypt. Material is stored as a token sealed under the keyring, with everything
//! that says what it may be used for as AAD: a database writer cannot make one account's material
//! serve another's key, or an HMAC key encrypt. Material is cached unwrapped in memory only.

use crate::canonical::{length_u32, push_field};
use crate::keyring::{Keyring, KeyringError, Purpose};
use crate::{CryptoError, Random, SecretBytes};

const TOKEN_LABEL: &[u8] = b"haechi/key-material/v1";
const SYMMETRIC: u8 = 1;

/// What a token is bound to. The same values must be given to unwrap it; AWS's names for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaterialContext<'a> {
    /// 12-digit account id.
    pub account: &'a str,
    /// Id of the KMS key (not its ARN: replicas of a multi-Region key share material).
    pub key_id: &'a str,
    /// Id of this material within the key (`KeyMaterialId`).
    pub material_id: &'a str,
    /// `KeySpec`, such as `SYMMETRIC_DEFAULT`.
    pub spec: &'a str,
    /// `KeyUsage`, such as `ENCRYPT_DECRYPT`.
    pub usage: &'a str,
    /// `Origin`, such as `AWS_KMS` or `EXTERNAL`.
    pub origin: &'a str,
}

impl MaterialContext<'_> {
    /// Label, number of fields, then each field with its length.
    fn aad(&self) -> Vec<u8> {
        let fields =
            [self.account, self.key_id, self.material_id, self.spec, self.usage, self.origin];
        let mut aad = Vec::with_capacity(192);
        push_field(&mut aad, TOKEN_LABEL);
        aad.extend_from_slice(&length_u32(fields.len()).to_be_bytes());
        for field in fields {
            push_field(&mut aad, field.as_bytes());
        }
        aad
    }
}

/// Why a token could not be made or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaterialError {
    /// It opened, but its content is of a kind that this version does not know.
    #[error("the key-material token holds kind {kind}; start a haechi that knows it")]
    UnknownKind {
        /// The kind byte; 0 for an empty token.
        kind: u8,
    },
    /// The keyring refused it: changed, or bound to another key, account, spec, usage or origin.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Unwrapped key material. One variant per family of key specs.
#[non_exhaustive]
pub enum KeyMaterial {
    /// `SYMMETRIC_DEFAULT`.
    Symmetric(SymmetricMaterial),
}

/// A 256-bit symmetric key, from which each call derives its own ([`crate::ciphertext`]).
pub struct SymmetricMaterial(SecretBytes<32>);

impl SymmetricMaterial {
    /// Fresh random material.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate(random: &dyn Random) -> Result<Self, CryptoError> {
        Ok(Self::new(SecretBytes::random(random)?))
    }

    /// Material from given bytes: imported, or unwrapped.
    #[must_use]
    pub const fn new(secret: SecretBytes<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn secret(&self) -> &SecretBytes<32> {
        &self.0
    }
}

impl KeyMaterial {
    /// The token to store, bound to `context`.
    ///
    /// # Errors
    /// When the keyring cannot seal.
    pub fn wrap(
        &self,
        keyring: &Keyring,
        context: &MaterialContext<'_>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, MaterialError> {
        let Self::Symmetric(material) = self;
        let mut plaintext = SecretBytes::<33>::take(&mut [0; 33]);
        let (kind, bytes) = plaintext.expose_mut().split_at_mut(1);
        kind.copy_from_slice(&[SYMMETRIC]);
        bytes.copy_from_slice(material.secret().expose());
        let aad = context.aad();
        Ok(keyring.seal_for(Purpose::KeyMaterial, &aad, plaintext.expose(), random)?)
    }

    /// Opens a token; `context` must be the one that it was made with.
    ///
    /// # Errors
    /// When the token is not authentic for this context, or of an unknown kind.
    pub fn unwrap(
        keyring: &Keyring,
        context: &MaterialContext<'_>,
        token: &[u8],
    ) -> Result<Self, MaterialError> {
        let plaintext = keyring.open_for(Purpose::KeyMaterial, &context.aad(), token)?;
        match plaintext.expose() {
            [SYMMETRIC, bytes @ ..] => SecretBytes::copy_from(bytes)
                .map(|secret| Self::Symmetric(SymmetricMaterial::new(secret)))
                .ok_or(MaterialError::UnknownKind { kind: SYMMETRIC }),
            [kind, ..] => Err(MaterialError::UnknownKind { kind: *kind }),
            [] => Err(MaterialError::UnknownKind { kind: 0 }),
        }
    }
}

#[cfg(test)]
mod tests;
