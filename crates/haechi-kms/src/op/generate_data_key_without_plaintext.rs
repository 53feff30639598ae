//! `GenerateDataKeyWithoutPlaintext`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GenerateDataKeyWithoutPlaintext;
use haechi_kms_model::shapes::{
    GenerateDataKeyWithoutPlaintextRequest, GenerateDataKeyWithoutPlaintextResponse,
};

use super::generate_data_key::DataKeyRequest;
use crate::Kms;

impl Handle<GenerateDataKeyWithoutPlaintext> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GenerateDataKeyWithoutPlaintextRequest,
    ) -> Result<GenerateDataKeyWithoutPlaintextResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        let made = self
            .data_key(
                cx,
                DataKeyRequest {
                    key_id: &input.key_id,
                    context: input.encryption_context,
                    spec: input.key_spec,
                    number_of_bytes: input.number_of_bytes,
                    dry_run: input.dry_run,
                },
            )
            .await?;
        Ok(GenerateDataKeyWithoutPlaintextResponse {
            ciphertext_blob: Some(made.blob),
            key_id: Some(made.key_arn),
            key_material_id: Some(made.material_id),
        })
    }
}
