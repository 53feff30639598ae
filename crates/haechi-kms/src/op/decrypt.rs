//! `Decrypt`.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Cx, Handle, Permit, Unchecked};
use haechi_crypto::{
    Blob, DoubledBlob, EncryptionAlgorithm, InvalidCiphertext, MaterialHandle, SecretVec,
};
use haechi_kms_model::Error;
use haechi_kms_model::ops::Decrypt;
use haechi_kms_model::shapes::{DecryptRequest, DecryptResponse, EncryptionAlgorithmSpec};
use haechi_wire::SecretBlob;

use crate::authz::{Facts, admit};
use crate::material::{invalid, tell_material};
use crate::spec::SYMMETRIC;
use crate::store::{Found, Key};
use crate::{Kms, request};

impl Handle<Decrypt> for Kms {
    async fn handle(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        request::no_recipient(input.recipient.as_ref())?;
        let modifiers = input.dry_run_modifiers.as_ref();
        let ignored = request::ignores_ciphertext(input.dry_run, modifiers)?;
        let context = request::encryption_context(input.encryption_context)?;
        let algorithm = request::algorithm(input.encryption_algorithm);
        let sealed = Sealed::read(input.ciphertext_blob.as_ref(), ignored, algorithm)?;
        let (action, named) = (cx.operation.action, input.key_id.as_deref());
        let found = self.decrypting_key(cx, action, named, &sealed, &context).await?;
        let facts = Facts {
            encryption_context: Some(&context),
            algorithm: Some(algorithm),
            ..Facts::default()
        };
        let (key, permit) = admit(cx, found, facts)?;
        self.check_maker(cx, &key, &sealed, &context).await?;
        self.admit_use(cx, &key).await?;
        let opened = self.open(cx, &key, permit, &sealed, &context).await?;
        request::end_dry_run(input.dry_run)?;
        self.used(cx, &key)?;
        tell_material(cx, "keyMaterialId", opened.material_id.as_deref());
        Ok(DecryptResponse {
            key_id: Some(key.arn().to_owned()),
            plaintext: Some(SecretBlob(opened.plaintext.into_inner())),
            encryption_algorithm: EncryptionAlgorithmSpec::parse(algorithm),
            ciphertext_for_recipient: None,
            key_material_id: opened.material_id,
        })
    }
}

/// What is to be decrypted.
pub(super) enum Sealed<'a> {
    /// Under a symmetric key: it says under which.
    Blob(Blob<'a>),
    /// Under a symmetric key in a custom key store.
    Doubled(DoubledBlob),
    /// Under a public key: it says nothing of itself.
    Asymmetric(EncryptionAlgorithm, &'a [u8]),
    /// With an algorithm that no key of this KMS has.
    Foreign(&'static str),
    /// Left out of account by a dry run.
    Ignored(&'static str),
}

/// What was decrypted.
pub(super) struct Opened {
    pub(super) plaintext: SecretVec,
    /// Of a symmetric key.
    pub(super) material_id: Option<String>,
}

impl<'a> Sealed<'a> {
    /// The ciphertext of a request; the model lets it be absent for the sake of some dry runs.
    pub(super) fn read(
        blob: Option<&'a haechi_wire::Blob>,
        ignored: bool,
        algorithm: &'static str,
    ) -> Result<Sealed<'a>, Error> {
        if ignored {
            return Ok(Sealed::Ignored(algorithm));
        }
        let missing = "1 validation error detected: Value null at 'ciphertextBlob' failed to \
             satisfy constraint: Member must not be null";
        let bytes = blob.map(|blob| blob.0.as_slice()).ok_or_else(|| request::invalid(missing))?;
        if algorithm == SYMMETRIC {
            if let Ok(doubled) = DoubledBlob::parse(bytes) {
                return Ok(Sealed::Doubled(doubled));
            }
            return Ok(Sealed::Blob(Blob::parse(bytes).map_err(invalid)?));
        }
        Ok(match EncryptionAlgorithm::from_name(algorithm) {
            Some(algorithm) => Sealed::Asymmetric(algorithm, bytes),
            None => Sealed::Foreign(algorithm),
        })
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Sealed::Blob(_) | Sealed::Doubled(_) => SYMMETRIC,
            Sealed::Asymmetric(algorithm, _) => algorithm.name(),
            Sealed::Foreign(algorithm) | Sealed::Ignored(algorithm) => algorithm,
        }
    }
}

impl Kms {
    /// The key to decrypt with: the one that is named, else the one that made the blob.
    pub(super) async fn decrypting_key(
        &self,
        cx: &Cx,
        action: &str,
        named: Option<&str>,
        sealed: &Sealed<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<Unchecked<Found<Arc<Key>>>, Error> {
        if let Some(named) = named {
            return self.key_for(cx, action, named).await;
        }
        let blob = match sealed {
            Sealed::Blob(blob) => blob,
            Sealed::Doubled(blob) => {
                let found = self.key_of(cx, &blob.handle()).await?;
                return found.ok_or_else(|| invalid(InvalidCiphertext));
            }
            Sealed::Ignored(_) => {
                return Err(request::invalid("A key ID is required to ignore the ciphertext."));
            }
            Sealed::Asymmetric(..) | Sealed::Foreign(_) => {
                let algorithm = sealed.algorithm();
                return Err(request::invalid(format!(
                    "A key ID is required to decrypt with the algorithm {algorithm}."
                )));
            }
        };
        if let Some(found) = self.key_of(cx, &blob.handle()).await? {
            return Ok(found);
        }
        Err(self.refuse(blob, context))
    }

    /// Decrypts with a key that is ready for it and made the ciphertext; a dry run without one ends
    /// here.
    pub(super) async fn open(
        &self,
        cx: &Cx,
        key: &Arc<Key>,
        permit: Permit,
        sealed: &Sealed<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<Opened, Error> {
        let algorithm = sealed.algorithm();
        request::check_algorithm(cx, key, algorithm)?;
        request::check_context(algorithm, context)?;
        match sealed {
            Sealed::Blob(blob) => {
                // The key manager sees inner blobs; alone they open nothing.
                if key.record.custom_key_store.is_some() {
                    return Err(invalid(InvalidCiphertext));
                }
                let (plaintext, material_id) = key.decrypt(&permit, blob, context)?;
                Ok(Opened { plaintext, material_id: Some(material_id) })
            }
            Sealed::Doubled(blob) => {
                if key.record.custom_key_store.is_none() {
                    return Err(invalid(InvalidCiphertext));
                }
                let doubled = self.decrypt_doubled(cx, key, &permit, blob, context);
                let opened = Box::pin(doubled).await?;
                Ok(Opened { plaintext: opened.0, material_id: Some(opened.1) })
            }
            Sealed::Asymmetric(algorithm, bytes) => {
                let decrypting = self.decrypt_with(key, permit, *algorithm, bytes.to_vec());
                let plaintext = Box::pin(decrypting).await?;
                Ok(Opened { plaintext, material_id: None })
            }
            Sealed::Foreign(algorithm) => Err(request::incompatible(key, algorithm)),
            Sealed::Ignored(_) => Err(request::dry_run_ended()),
        }
    }

    /// Refuses a blob that nobody made, with as much work as one that somebody made: time must not
    /// tell them apart.
    fn refuse(&self, blob: &Blob<'_>, context: &BTreeMap<String, String>) -> Error {
        let refused = blob.decrypt(&self.dummy, context).err();
        invalid(refused.unwrap_or(InvalidCiphertext))
    }

    /// Refuses a blob that another key than the named one made; as recorded, whatever kind of key
    /// the named one is.
    pub(super) async fn check_maker(
        &self,
        cx: &Cx,
        key: &Key,
        sealed: &Sealed<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        match sealed {
            Sealed::Blob(blob) => match self.check_handle(cx, key, &blob.handle()).await {
                Err(Error::InvalidCiphertextException(_)) => Err(self.refuse(blob, context)),
                other => other,
            },
            Sealed::Doubled(blob) => self.check_handle(cx, key, &blob.handle()).await,
            Sealed::Asymmetric(..) | Sealed::Foreign(_) | Sealed::Ignored(_) => Ok(()),
        }
    }

    /// Refuses the handle of another key's material, or of nobody's.
    async fn check_handle(&self, cx: &Cx, key: &Key, handle: &MaterialHandle) -> Result<(), Error> {
        if key.record.materials.iter().any(|row| row.handle == *handle.as_bytes()) {
            return Ok(());
        }
        match self.key_of(cx, handle).await? {
            Some(_) => Err(Error::IncorrectKeyException(
                "The key ID in the request does not identify a CMK that can perform this operation."
                    .to_owned(),
            )),
            None => Err(invalid(InvalidCiphertext)),
        }
    }
}
