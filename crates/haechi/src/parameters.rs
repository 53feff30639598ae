//! What Parameter Store asks of other services, in the name of its callers.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, Cx, Handle, Region};
use haechi_kms::Kms;
use haechi_kms_model::ops::{Decrypt, Encrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, GenerateDataKeyRequest,
    GenerateDataKeyResponse,
};
use haechi_wire::{Fault, Problem};

/// KMS, for values of `SecureString`s.
pub struct ParameterKeys(pub Arc<Kms>);

#[async_trait]
impl haechi_ssm::Keys for ParameterKeys {
    async fn default_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault> {
        self.0.aws_managed_key(account, region, "ssm").await
    }

    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem> {
        Handle::<Encrypt>::handle(&*self.0, cx, input).await.map_err(Into::into)
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        Handle::<Decrypt>::handle(&*self.0, cx, input).await.map_err(Into::into)
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        Handle::<GenerateDataKey>::handle(&*self.0, cx, input).await.map_err(Into::into)
    }
}
