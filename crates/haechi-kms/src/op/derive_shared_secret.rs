//! `DeriveSharedSecret`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DeriveSharedSecret;
use haechi_kms_model::shapes::{
    DeriveSharedSecretRequest, DeriveSharedSecretResponse, KeyUsageType, OriginType,
};
use haechi_wire::SecretBlob;

use crate::asymmetric::not_agreed;
use crate::{Kms, request};

impl Handle<DeriveSharedSecret> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeriveSharedSecretRequest,
    ) -> Result<DeriveSharedSecretResponse, Error> {
        request::no_recipient(input.recipient.as_ref())?;
        let algorithm = input.key_agreement_algorithm;
        let facts = [("kms:keyagreementalgorithm", algorithm.as_str())];
        let (tokens, usage) = (input.grant_tokens.as_ref(), KeyUsageType::KeyAgreement);
        let (key, permit) = self.key_to_use(cx, &input.key_id, tokens, usage, &facts).await?;
        let material = key.current(&permit)?;
        let agreed = material.secret.derive_shared_secret(&input.public_key.0);
        let shared_secret = agreed.map_err(not_agreed)?;
        request::end_dry_run(input.dry_run)?;
        self.used(cx, &key)?;
        Ok(DeriveSharedSecretResponse {
            key_id: Some(key.arn().to_owned()),
            shared_secret: Some(SecretBlob(shared_secret.into_inner())),
            ciphertext_for_recipient: None,
            key_agreement_algorithm: Some(algorithm),
            key_origin: OriginType::parse(&key.record.origin),
        })
    }
}
