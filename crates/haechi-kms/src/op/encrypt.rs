//! `Encrypt`.

use haechi_core::{Cx, Handle};
use haechi_crypto::BlobKind;
use haechi_kms_model::Error;
use haechi_kms_model::ops::Encrypt;
use haechi_kms_model::shapes::{EncryptRequest, EncryptResponse, EncryptionAlgorithmSpec};
use haechi_wire::Blob;

use crate::authz::{Facts, admit};
use crate::key::Use;
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
        key.admit(Use::Material)?;
        request::check_algorithm(&key, algorithm)?;
        request::end_dry_run(input.dry_run)?;
        let plaintext = &input.plaintext.0;
        let (blob, _) = key.encrypt(&permit, &cx.env, BlobKind::Encrypt, &context, plaintext)?;
        Ok(EncryptResponse {
            ciphertext_blob: Some(Blob(blob)),
            key_id: Some(key.arn().to_owned()),
            encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        })
    }
}
