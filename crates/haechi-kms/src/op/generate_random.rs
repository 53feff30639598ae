//! `GenerateRandom`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GenerateRandom;
use haechi_kms_model::shapes::{GenerateRandomRequest, GenerateRandomResponse};
use haechi_wire::{Fault, SecretBlob};

use crate::{Kms, authz, request};

impl Handle<GenerateRandom> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GenerateRandomRequest,
    ) -> Result<GenerateRandomResponse, Error> {
        let Some(bytes) = input.number_of_bytes else {
            return Err(request::invalid("NumberOfBytes is required."));
        };
        request::no_recipient(input.recipient.as_ref())?;
        authz::authorize_any(cx)?;
        let bytes = usize::try_from(bytes).map_err(Fault::internal)?;
        let plaintext = match &input.custom_key_store_id {
            Some(store_id) => self.token_random(cx, store_id, bytes).await?,
            None => {
                let mut plaintext = SecretBlob(vec![0; bytes]);
                cx.env.random.fill(&mut plaintext.0).map_err(Fault::internal)?;
                plaintext
            }
        };
        Ok(GenerateRandomResponse { plaintext: Some(plaintext), ciphertext_for_recipient: None })
    }
}
