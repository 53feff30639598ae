//! Key material: made, kept wrapped, used. What uses it asks for a [`Permit`].

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Env, Permit};
use haechi_crypto::keyring::Keyring;
use haechi_crypto::material::MaterialContext;
use haechi_crypto::{
    Blob, BlobKind, InvalidCiphertext, KeyMaterial, MaterialHandle, SecretVec, SymmetricMaterial,
    ciphertext,
};
use haechi_kms_model::Error;
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

use crate::store::{Key, KeyRecord, hex};

/// One generation of material, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MaterialRecord {
    /// `KeyMaterialId`: 64 hexadecimal digits.
    pub(crate) id: String,
    /// What ciphertexts bear.
    pub(crate) handle: [u8; 32],
    /// Wrapped under the keyring, bound to its key.
    pub(crate) token: Vec<u8>,
    pub(crate) created_ms: i64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// One generation of material, ready.
pub(crate) struct Material {
    pub(crate) id: String,
    handle: MaterialHandle,
    secret: SymmetricMaterial,
}

/// What material of this key is bound to.
fn binding<'a>(key: &'a KeyRecord, material_id: &'a str) -> MaterialContext<'a> {
    MaterialContext {
        account: &key.account,
        key_id: &key.id,
        material_id,
        spec: &key.spec,
        usage: &key.usage,
        origin: &key.origin,
    }
}

impl MaterialRecord {
    /// Fresh material for a key.
    pub(crate) fn generate(
        env: &Env,
        keyring: &Keyring,
        key: &KeyRecord,
        now_ms: i64,
    ) -> Result<MaterialRecord, Fault> {
        let random = &*env.random;
        let mut id = [0; 32];
        random.fill(&mut id).map_err(Fault::internal)?;
        let id = hex(&id);
        let handle = MaterialHandle::generate(random).map_err(Fault::internal)?;
        let secret = SymmetricMaterial::generate(random).map_err(Fault::internal)?;
        let token = KeyMaterial::Symmetric(secret)
            .wrap(keyring, &binding(key, &id), random)
            .map_err(Fault::internal)?;
        let (handle, unknown) = (*handle.as_bytes(), Unknown::new());
        Ok(MaterialRecord { id, handle, token, created_ms: now_ms, unknown })
    }

    pub(crate) fn handle(&self) -> MaterialHandle {
        MaterialHandle::from_bytes(self.handle)
    }
}

impl Material {
    /// All material of a key.
    pub(crate) fn unwrap_all(keyring: &Keyring, key: &KeyRecord) -> Result<Vec<Material>, Fault> {
        let unwrap = |row: &MaterialRecord| {
            let material = KeyMaterial::unwrap(keyring, &binding(key, &row.id), &row.token);
            match material.map_err(Fault::internal)? {
                KeyMaterial::Symmetric(secret) => {
                    Ok(Material { id: row.id.clone(), handle: row.handle(), secret })
                }
                _ => Err(Fault::internal(format!("key {} holds unknown material", key.id))),
            }
        };
        key.materials.iter().map(unwrap).collect()
    }
}

impl Key {
    /// Encrypts under the newest material; answers the blob and the material's id.
    pub(crate) fn encrypt(
        &self,
        permit: &Permit,
        env: &Env,
        kind: BlobKind,
        context: &BTreeMap<String, String>,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, String), Error> {
        let Some(Material { id, handle, secret }) = self.materials(permit).last() else {
            return Err(Fault::internal(format!("key {} has no material", self.arn())).into());
        };
        let blob = ciphertext::encrypt(kind, secret, handle, context, plaintext, &*env.random)
            .map_err(Fault::internal)?;
        Ok((blob, id.clone()))
    }

    /// Opens a blob of this key; answers the plaintext and the material's id.
    pub(crate) fn decrypt(
        &self,
        permit: &Permit,
        blob: &Blob<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<(SecretVec, String), Error> {
        let handle = blob.handle();
        let mut materials = self.materials(permit).iter();
        let material = materials.find(|m| m.handle.as_bytes() == handle.as_bytes());
        let Some(material) = material else { return Err(invalid(InvalidCiphertext)) };
        let plaintext = blob.decrypt(&material.secret, context).map_err(invalid)?;
        Ok((plaintext, material.id.clone()))
    }
}

/// The one answer to a ciphertext that does not open; it says nothing of why.
pub(crate) fn invalid(_: InvalidCiphertext) -> Error {
    Error::InvalidCiphertextException(String::new())
}
