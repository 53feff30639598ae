//! Key material: made, kept wrapped, used. What uses it asks for a [`Permit`].
//!
//! Material is unwrapped when it is first used, not when its key is read: parsing an RSA key takes
//! milliseconds, and most reads of a key are about its policy or its state.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use haechi_core::database::Unknown;
use haechi_core::{Cx, Env, Permit};
use haechi_crypto::keyring::Keyring;
use haechi_crypto::material::MaterialContext;
use haechi_crypto::{
    Blob, BlobKind, InvalidCiphertext, KeyMaterial, KeySpec, MaterialHandle, PublicKey, SecretVec,
    SymmetricMaterial, ciphertext,
};
use haechi_kms_model::Error;
use haechi_wire::Fault;
use serde::{Deserialize, Serialize, Serializer};

use crate::store::{Key, KeyRecord, hex};

/// Tells the call's record which material was used, as KMS does of symmetric keys.
pub(crate) fn tell_material(cx: &Cx, name: &'static str, id: Option<&str>) {
    if let Some(id) = id {
        cx.tell(name, id);
    }
}

/// One generation of material, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MaterialRecord {
    /// `KeyMaterialId`: 64 hexadecimal digits.
    pub(crate) id: String,
    /// What ciphertexts bear.
    #[serde(serialize_with = "as_bytes")]
    pub(crate) handle: [u8; 32],
    /// Wrapped under the keyring, bound to its key. Empty: imported material that is not there.
    #[serde(serialize_with = "as_bytes")]
    pub(crate) token: Vec<u8>,
    pub(crate) created_ms: i64,
    /// How it became current; the first material of a key always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotated: Option<Rotated>,
    /// Whether it waits for a rotation to make it current.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) pending: bool,
    /// The rotation that makes it current once all Regions have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) awaits: Option<Rotated>,
    /// Of imported material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) imported: Option<Imported>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// As one string of bytes, half as long as the list of numbers that it would be otherwise, and that
/// older rows have; both are read.
fn as_bytes<S: Serializer>(bytes: impl AsRef<[u8]>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes.as_ref())
}

/// The rotation that made material current.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rotated {
    pub(crate) at_ms: i64,
    pub(crate) on_demand: bool,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// What is known of imported material, also while it is not there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Imported {
    /// By which it is known again.
    #[serde(serialize_with = "as_bytes")]
    pub(crate) fingerprint: [u8; 32],
    pub(crate) description: Option<String>,
    /// When it goes by itself.
    pub(crate) valid_to_ms: Option<i64>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// What material of this key is bound to.
pub(crate) fn binding<'a>(key: &'a KeyRecord, material_id: &'a str) -> MaterialContext<'a> {
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
    /// Material for a key, wrapped, with an id and a handle of its own.
    pub(crate) fn wrap(
        env: &Env,
        keyring: &Keyring,
        key: &KeyRecord,
        secret: &KeyMaterial,
        now_ms: i64,
    ) -> Result<MaterialRecord, Fault> {
        let random = &*env.random;
        let mut id = [0; 32];
        random.fill(&mut id).map_err(Fault::internal)?;
        let id = hex(&id);
        let handle = MaterialHandle::generate(random).map_err(Fault::internal)?;
        let token = secret.wrap(keyring, &binding(key, &id), random).map_err(Fault::internal)?;
        Ok(MaterialRecord {
            id,
            handle: *handle.as_bytes(),
            token,
            created_ms: now_ms,
            rotated: None,
            pending: false,
            awaits: None,
            imported: None,
            unknown: Unknown::new(),
        })
    }

    pub(crate) fn handle(&self) -> MaterialHandle {
        MaterialHandle::from_bytes(self.handle)
    }

    /// Whether it is here: imported material can be deleted, and can expire.
    pub(crate) fn is_present(&self) -> bool {
        !self.token.is_empty()
    }
}

impl KeyRecord {
    /// The material that encrypts.
    pub(crate) fn current(&self) -> Option<&MaterialRecord> {
        self.materials.iter().rev().find(|material| !material.pending)
    }

    /// When the first of its imported materials expires, which ends the use of all of them.
    pub(crate) fn first_expiry_ms(&self) -> Option<i64> {
        let counts = |row: &&MaterialRecord| !row.pending && row.is_present();
        let imported = self.materials.iter().filter(counts).filter_map(|row| row.imported.as_ref());
        imported.filter_map(|imported| imported.valid_to_ms).min()
    }
}

/// Material of a key, ready.
#[derive(Clone, Copy)]
pub(crate) struct Material<'a> {
    pub(crate) row: &'a MaterialRecord,
    pub(crate) secret: &'a KeyMaterial,
}

impl Material<'_> {
    /// The public half.
    pub(crate) fn public_key(&self) -> Result<&PublicKey, Fault> {
        self.secret.public_key().ok_or_else(|| Fault::internal("a key that is no key pair"))
    }

    fn symmetric(&self) -> Result<&SymmetricMaterial, Fault> {
        match self.secret {
            KeyMaterial::Symmetric(secret) => Ok(secret),
            _ => Err(Fault::internal("a key that is not symmetric")),
        }
    }
}

impl Key {
    /// Its spec; `None` for one of the future.
    pub(crate) fn spec(&self) -> Option<KeySpec> {
        KeySpec::from_name(&self.record.spec)
    }

    /// Material of one row; only for who was permitted.
    pub(crate) fn material<'a>(
        &'a self,
        _: &Permit,
        (row, secret): (&'a MaterialRecord, &'a OnceLock<KeyMaterial>),
    ) -> Result<Material<'a>, Fault> {
        if let Some(secret) = secret.get() {
            return Ok(Material { row, secret });
        }
        let opened =
            KeyMaterial::unwrap(&self.keyring, &binding(&self.record, &row.id), &row.token)
                .map_err(Fault::internal)?;
        Ok(Material { row, secret: secret.get_or_init(|| opened) })
    }

    /// Whether the material that encrypts is unwrapped already.
    pub(crate) fn is_open(&self) -> bool {
        let mut newest_first = self.record.materials.iter().zip(&self.secrets).rev();
        newest_first.find(|(row, _)| !row.pending).is_some_and(|(_, secret)| secret.get().is_some())
    }

    /// The material that encrypts; only for who was permitted.
    pub(crate) fn current(&self, permit: &Permit) -> Result<Material<'_>, Error> {
        let mut newest_first = self.record.materials.iter().zip(&self.secrets).rev();
        let Some(current) = newest_first.find(|(row, _)| !row.pending) else {
            return Err(Fault::internal(format!("key {} has no material", self.arn())).into());
        };
        Ok(self.material(permit, current)?)
    }

    /// Encrypts under the current symmetric material; answers the blob and the material's id.
    pub(crate) fn encrypt(
        &self,
        permit: &Permit,
        env: &Env,
        kind: BlobKind,
        context: &BTreeMap<String, String>,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, String), Error> {
        let material = self.current(permit)?;
        let (secret, handle) = (material.symmetric()?, material.row.handle());
        let blob = ciphertext::encrypt(kind, secret, &handle, context, plaintext, &*env.random)
            .map_err(Fault::internal)?;
        Ok((blob, material.row.id.clone()))
    }

    /// Opens a blob of this key; answers the plaintext and the material's id.
    pub(crate) fn decrypt(
        &self,
        permit: &Permit,
        blob: &Blob<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<(SecretVec, String), Error> {
        let handle = blob.handle();
        let mut materials = self.record.materials.iter().zip(&self.secrets);
        let found = materials.find(|(row, _)| row.handle == *handle.as_bytes() && row.is_present());
        let Some(found) = found else { return Err(invalid(InvalidCiphertext)) };
        let material = self.material(permit, found)?;
        let plaintext = blob.decrypt(material.symmetric()?, context).map_err(invalid)?;
        Ok((plaintext, material.row.id.clone()))
    }
}

/// The one answer to a ciphertext that does not open; it says nothing of why.
pub(crate) fn invalid(_: InvalidCiphertext) -> Error {
    Error::InvalidCiphertextException(String::new())
}
