//! `Verify`.

use std::sync::Arc;

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::Verify;
use haechi_kms_model::shapes::{KeyUsageType, MessageType, VerifyRequest, VerifyResponse};

use super::sign::parsed;
use crate::asymmetric::not_verified;
use crate::{Kms, request};

impl Handle<Verify> for Kms {
    async fn handle(&self, cx: &Cx, input: VerifyRequest) -> Result<VerifyResponse, Error> {
        let algorithm = input.signing_algorithm.as_str();
        let kind = input.message_type.unwrap_or(MessageType::Raw).as_str();
        let facts = [("kms:signingalgorithm", algorithm), ("kms:messagetype", kind)];
        let (tokens, usage) = (input.grant_tokens.as_ref(), KeyUsageType::SignVerify);
        let (key, permit) = self.key_to_use(cx, &input.key_id, tokens, usage, &facts).await?;
        let (algorithm, kind) =
            parsed(algorithm, kind).ok_or_else(|| request::incompatible(&key, algorithm))?;
        let (verifier, message, signature) = (Arc::clone(&key), input.message, input.signature);
        self.with_public_key(&key, permit, move |public_key| {
            let verified = public_key.verify(algorithm, kind, &message.0, &signature.0);
            verified.map_err(|error| not_verified(&verifier, error))
        })
        .await?;
        request::end_dry_run(input.dry_run)?;
        self.used(cx, &key)?;
        Ok(VerifyResponse {
            key_id: Some(key.arn().to_owned()),
            signature_valid: Some(true),
            signing_algorithm: Some(input.signing_algorithm),
        })
    }
}
