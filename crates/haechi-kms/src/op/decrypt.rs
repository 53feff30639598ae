//! `Decrypt`.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Cx, Handle, Unchecked};
use haechi_crypto::{Blob, InvalidCiphertext};
use haechi_kms_model::Error;
use haechi_kms_model::ops::Decrypt;
use haechi_kms_model::shapes::{DecryptRequest, DecryptResponse, EncryptionAlgorithmSpec};
use haechi_wire::SecretBlob;

use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::material::invalid;
use crate::store::{Found, Key};
use crate::{Kms, request};

impl Handle<Decrypt> for Kms {
    async fn handle(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        request::no_recipient(cx, input.recipient.as_ref())?;
        request::no_modifiers(cx, input.dry_run_modifiers.as_ref())?;
        let bytes = required_blob(input.ciphertext_blob.as_ref())?;
        let context = request::encryption_context(input.encryption_context)?;
        let algorithm = request::algorithm(input.encryption_algorithm);
        let blob = Blob::parse(bytes).map_err(invalid)?;
        let (action, named) = (cx.operation.action, input.key_id.as_deref());
        let found = self.decrypting_key(cx, action, named, &blob, &context).await?;
        let facts = Facts {
            encryption_context: Some(&context),
            algorithm: Some(algorithm),
            ..Facts::default()
        };
        let (key, permit) = admit(cx, found, facts)?;
        key.admit(Use::Material)?;
        request::check_algorithm(&key, algorithm)?;
        self.check_made_by(cx, &key, &blob, &context).await?;
        let (plaintext, material_id) = key.decrypt(&permit, &blob, &context)?;
        request::end_dry_run(input.dry_run)?;
        Ok(DecryptResponse {
            key_id: Some(key.arn().to_owned()),
            plaintext: Some(SecretBlob(plaintext.into_inner())),
            encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
            ciphertext_for_recipient: None,
            key_material_id: Some(material_id),
        })
    }
}

/// The ciphertext; the model lets it be absent for dry runs only.
pub(super) fn required_blob(blob: Option<&haechi_wire::Blob>) -> Result<&[u8], Error> {
    let missing = "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy \
         constraint: Member must not be null";
    blob.map(|blob| blob.0.as_slice()).ok_or_else(|| request::invalid(missing))
}

impl Kms {
    /// The key to decrypt with: the one that is named, else the one that made the blob.
    pub(super) async fn decrypting_key(
        &self,
        cx: &Cx,
        action: &str,
        named: Option<&str>,
        blob: &Blob<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<Unchecked<Found<Arc<Key>>>, Error> {
        if let Some(named) = named {
            return self.key_for(cx, action, named).await;
        }
        if let Some(found) = self.key_of(cx, &blob.handle()).await? {
            return Ok(found);
        }
        Err(self.refuse(blob, context))
    }

    /// Refuses a blob that nobody made, with as much work as one that somebody made: time must not
    /// tell them apart.
    fn refuse(&self, blob: &Blob<'_>, context: &BTreeMap<String, String>) -> Error {
        let refused = blob.decrypt(&self.dummy, context).err();
        invalid(refused.unwrap_or(InvalidCiphertext))
    }

    /// Refuses a blob that another key than the named one made.
    pub(super) async fn check_made_by(
        &self,
        cx: &Cx,
        key: &Key,
        blob: &Blob<'_>,
        context: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let handle = blob.handle();
        if key.record.materials.iter().any(|row| row.handle == *handle.as_bytes()) {
            return Ok(());
        }
        match self.key_of(cx, &handle).await? {
            Some(_) => Err(Error::IncorrectKeyException(
                "The key ID in the request does not identify a CMK that can perform this operation."
                    .to_owned(),
            )),
            None => Err(self.refuse(blob, context)),
        }
    }
}
