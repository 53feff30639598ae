//! `Encrypt`.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Cx, Handle, Permit};
use haechi_crypto::{BlobKind, EncryptionAlgorithm, SecretVec};
use haechi_kms_model::Error;
use haechi_kms_model::ops::Encrypt;
use haechi_kms_model::shapes::{EncryptRequest, EncryptResponse, EncryptionAlgorithmSpec};
use haechi_wire::Blob;

use crate::asymmetric::check_length;
use crate::authz::{Facts, admit};
use crate::material::tell_material;
use crate::store::Key;
use crate::{Kms, request};

impl Handle<Encrypt> for Kms {
    async fn handle(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        let context = request::encryption_context(input.encryption_context)?;
        let algorithm = request::algorithm(input.encryption_algorithm);
        let found = self.key(cx, &input.key_id).await?;
        let facts = Facts {
            encryption_context: Some(&context),
            algorithm: Some(algorithm),
            ..Facts::default()
        };
        let (key, permit) = admit(cx, found, facts)?;
        self.admit_use(cx, &key).await?;
        request::check_algorithm(cx, &key, algorithm)?;
        request::check_context(algorithm, &context)?;
        let plaintext = &input.plaintext.0;
        if let Some(algorithm) = EncryptionAlgorithm::from_name(algorithm) {
            check_length(&key, algorithm, plaintext.len())?;
        }
        request::end_dry_run(input.dry_run)?;
        let (blob, material) = self.seal(cx, &key, permit, algorithm, &context, plaintext).await?;
        self.used(cx, &key)?;
        tell_material(cx, "keyMaterialId", material.as_deref());
        Ok(EncryptResponse {
            ciphertext_blob: Some(Blob(blob)),
            key_id: Some(key.arn().to_owned()),
            encryption_algorithm: EncryptionAlgorithmSpec::parse(algorithm),
        })
    }
}

impl Kms {
    /// Encrypts with an algorithm that is the key's; answers, of a symmetric key, the material's
    /// id too.
    pub(super) async fn seal(
        &self,
        cx: &Cx,
        key: &Arc<Key>,
        permit: Permit,
        algorithm: &str,
        context: &BTreeMap<String, String>,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, Option<String>), Error> {
        if let Some(algorithm) = EncryptionAlgorithm::from_name(algorithm) {
            let plaintext = SecretVec::copy_from(plaintext);
            // In a box, so that symmetric keys do not carry its room.
            let encrypted = Box::pin(self.encrypt_to(key, permit, algorithm, plaintext)).await?;
            return Ok((encrypted, None));
        }
        let kind = BlobKind::Encrypt;
        let text = (context, plaintext);
        let (blob, material_id) = self.encrypt_symmetric(cx, key, &permit, kind, text).await?;
        Ok((blob, Some(material_id)))
    }
}
