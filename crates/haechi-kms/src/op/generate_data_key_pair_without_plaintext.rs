//! `GenerateDataKeyPairWithoutPlaintext`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GenerateDataKeyPairWithoutPlaintext;
use haechi_kms_model::shapes::{
    GenerateDataKeyPairWithoutPlaintextRequest, GenerateDataKeyPairWithoutPlaintextResponse,
};

use super::generate_data_key_pair::DataKeyPairRequest;
use crate::Kms;

impl Handle<GenerateDataKeyPairWithoutPlaintext> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GenerateDataKeyPairWithoutPlaintextRequest,
    ) -> Result<GenerateDataKeyPairWithoutPlaintextResponse, Error> {
        let asked = DataKeyPairRequest {
            key_id: &input.key_id,
            context: input.encryption_context,
            spec: input.key_pair_spec,
            grant_tokens: input.grant_tokens.as_ref(),
            dry_run: input.dry_run,
        };
        let made = self.data_key_pair(cx, asked).await?;
        Ok(GenerateDataKeyPairWithoutPlaintextResponse {
            private_key_ciphertext_blob: Some(made.blob),
            public_key: Some(made.public_key),
            key_id: Some(made.key_arn),
            key_pair_spec: Some(input.key_pair_spec),
            key_material_id: Some(made.material_id),
        })
    }
}
