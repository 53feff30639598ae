//! `Sign`.

use std::sync::Arc;

use haechi_core::{Cx, Handle};
use haechi_crypto::{MessageType as Kind, SigningAlgorithm};
use haechi_kms_model::Error;
use haechi_kms_model::ops::Sign;
use haechi_kms_model::shapes::{KeyUsageType, MessageType, SignRequest, SignResponse};
use haechi_wire::Blob;

use crate::asymmetric::not_signed;
use crate::{Kms, request};

impl Handle<Sign> for Kms {
    async fn handle(&self, cx: &Cx, input: SignRequest) -> Result<SignResponse, Error> {
        let algorithm = input.signing_algorithm.as_str();
        let kind = input.message_type.unwrap_or(MessageType::Raw).as_str();
        let facts = [("kms:signingalgorithm", algorithm), ("kms:messagetype", kind)];
        let (tokens, usage) = (input.grant_tokens.as_ref(), KeyUsageType::SignVerify);
        let (key, permit) = self.key_to_use(cx, &input.key_id, tokens, usage, &facts).await?;
        let (algorithm, kind) =
            parsed(algorithm, kind).ok_or_else(|| request::incompatible(&key, algorithm))?;
        let (signer, message) = (Arc::clone(&key), input.message);
        let random = Arc::clone(&cx.env.random);
        let signature = self
            .with_material(&key, permit, move |material| {
                let signature = material.secret.sign(algorithm, kind, &message.0, &*random);
                signature.map_err(|error| not_signed(&signer, error))
            })
            .await?;
        request::end_dry_run(input.dry_run)?;
        self.used(cx, &key)?;
        Ok(SignResponse {
            key_id: Some(key.arn().to_owned()),
            signature: Some(Blob(signature)),
            signing_algorithm: Some(input.signing_algorithm),
        })
    }
}

/// Algorithm and type of message; `None` for an algorithm that no key of this KMS has.
pub(super) fn parsed(algorithm: &str, kind: &str) -> Option<(SigningAlgorithm, Kind)> {
    Some((SigningAlgorithm::from_name(algorithm)?, Kind::from_name(kind)?))
}
