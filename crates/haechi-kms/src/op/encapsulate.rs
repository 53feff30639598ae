//! `Encapsulate`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::Encapsulate;
use haechi_kms_model::shapes::{EncapsulateRequest, EncapsulateResponse, KeyUsageType};
use haechi_wire::{Blob, SecretBlob};

use crate::asymmetric::not_encapsulated;
use crate::{Kms, request};

impl Handle<Encapsulate> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: EncapsulateRequest,
    ) -> Result<EncapsulateResponse, Error> {
        let algorithm = input.encapsulation_algorithm;
        let facts = [("kms:encapsulationalgorithm", algorithm.as_str())];
        let (tokens, usage) = (input.grant_tokens.as_ref(), KeyUsageType::EncapsulateDecapsulate);
        let (key, permit) = self.key_to_use(cx, &input.key_id, tokens, usage, &facts).await?;
        request::end_dry_run(input.dry_run)?;
        let material = key.current(&permit)?;
        let made = material.public_key()?.encapsulate().map_err(not_encapsulated)?;
        self.used(cx, &key)?;
        Ok(EncapsulateResponse {
            key_id: Some(key.arn().to_owned()),
            shared_secret: Some(SecretBlob(made.shared_secret.expose().to_vec())),
            shared_secret_ciphertext_blob: Some(Blob(made.ciphertext)),
            encapsulation_algorithm: Some(algorithm),
        })
    }
}
