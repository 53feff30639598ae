//! Keys of this KMS as the external keys of another: what the XKS proxy does with them.
//!
//! Each use is a use of the key like any other: its policy and IAM decide, its state counts, it is
//! metered. The caller of these functions records them. Format: `docs/ciphertext.md`.

use std::sync::Arc;

use haechi_core::{Cx, Permit};
use haechi_crypto::external_key::names_material;
use haechi_crypto::{ExternalCiphertext, InvalidCiphertext, KeyMaterial, SecretVec};
use haechi_kms_model::Error;
use haechi_kms_model::shapes::KeyUsageType;
use haechi_wire::Fault;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::{State, Use};
use crate::material::invalid;
use crate::request;
use crate::spec::SYMMETRIC;
use crate::store::Key;

/// What another KMS is told of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxiedKey {
    /// `AES_256` of a key that serves; else the name of its spec.
    pub spec: String,
    /// Whether it encrypts and decrypts for another KMS.
    pub serves: bool,
    /// Whether its state lets it.
    pub enabled: bool,
}

impl Kms {
    /// What a key is; decided as the call's own action.
    ///
    /// # Errors
    /// If it is not there, or the caller may not know.
    pub async fn proxied_key(&self, cx: &Cx, key_id: &str) -> Result<ProxiedKey, Error> {
        let found = self.key(cx, key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        let serves = serves(&key);
        let spec = if serves { "AES_256".to_owned() } else { key.record.spec.clone() };
        Ok(ProxiedKey { spec, serves, enabled: key.record.state == State::Enabled })
    }

    /// Encrypts as an external key.
    ///
    /// # Errors
    /// If the key is not there, does not serve, or may not be used.
    pub async fn proxied_encrypt(
        &self,
        cx: &Cx,
        key_id: &str,
        additional_data: &[u8],
        plaintext: &SecretVec,
    ) -> Result<ExternalCiphertext, Error> {
        let (key, permit) = self.proxied(cx, key_id).await?;
        let material = key.current(&permit)?;
        let KeyMaterial::Symmetric(secret) = material.secret else {
            return Err(Fault::internal("a symmetric key without symmetric material").into());
        };
        let handle = material.row.handle();
        let random = &*self.env.random;
        let sealed =
            secret.encrypt_externally(&handle, additional_data, plaintext.expose(), random);
        let sealed = sealed.map_err(Fault::internal)?;
        self.used(cx, &key)?;
        Ok(sealed)
    }

    /// Decrypts as an external key, with whichever of its materials made the ciphertext.
    ///
    /// # Errors
    /// As [`Self::proxied_encrypt`]; `InvalidCiphertextException` if none did.
    pub async fn proxied_decrypt(
        &self,
        cx: &Cx,
        key_id: &str,
        additional_data: &[u8],
        sealed: &ExternalCiphertext,
    ) -> Result<SecretVec, Error> {
        let (key, permit) = self.proxied(cx, key_id).await?;
        for row in key.record.materials.iter().zip(&key.secrets) {
            let handle = row.0.handle();
            if !row.0.is_present() || !names_material(&sealed.metadata, &handle) {
                continue;
            }
            let material = key.material(&permit, row)?;
            if let KeyMaterial::Symmetric(secret) = material.secret
                && let Ok(plaintext) = secret.decrypt_externally(&handle, additional_data, sealed)
            {
                self.used(cx, &key)?;
                return Ok(plaintext);
            }
        }
        Err(invalid(InvalidCiphertext))
    }

    async fn proxied(&self, cx: &Cx, key_id: &str) -> Result<(Arc<Key>, Permit), Error> {
        let found = self.key(cx, key_id).await?;
        let (key, permit) = admit(cx, found, Facts::default())?;
        request::check_usage(cx, &key, KeyUsageType::EncryptDecrypt)?;
        if !serves(&key) {
            return Err(request::incompatible(&key, "AES_GCM"));
        }
        key.admit(Use::Material)?;
        Ok((key, permit))
    }
}

/// Whether it is a symmetric key with material of this KMS. One in a custom key store is not: a
/// proxy behind a proxy would make two parties answer for one key.
fn serves(key: &Key) -> bool {
    key.record.spec == SYMMETRIC && key.record.custom_key_store.is_none()
}
