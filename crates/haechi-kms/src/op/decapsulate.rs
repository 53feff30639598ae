//! `Decapsulate`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::Decapsulate;
use haechi_kms_model::shapes::{DecapsulateRequest, DecapsulateResponse, KeyUsageType};
use haechi_wire::SecretBlob;

use crate::asymmetric::not_decapsulated;
use crate::{Kms, request};

impl Handle<Decapsulate> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: DecapsulateRequest,
    ) -> Result<DecapsulateResponse, Error> {
        let algorithm = input.encapsulation_algorithm;
        let facts = [("kms:encapsulationalgorithm", algorithm.as_str())];
        let (tokens, usage) = (input.grant_tokens.as_ref(), KeyUsageType::EncapsulateDecapsulate);
        let (key, permit) = self.key_to_use(cx, &input.key_id, tokens, usage, &facts).await?;
        let material = key.current(&permit)?;
        let recovered = material.secret.decapsulate(&input.shared_secret_ciphertext_blob.0);
        let shared_secret = recovered.map_err(not_decapsulated)?;
        request::end_dry_run(input.dry_run)?;
        self.used(cx, &key)?;
        Ok(DecapsulateResponse {
            key_id: Some(key.arn().to_owned()),
            shared_secret: Some(SecretBlob(shared_secret.expose().to_vec())),
            encapsulation_algorithm: Some(algorithm),
        })
    }
}
