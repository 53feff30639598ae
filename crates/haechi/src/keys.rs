//! The keys of KMS, as Secrets Manager and the services that keep messages ask for them.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, AuditLog, Cx, Handle, Region};
use haechi_gateway::record_unsent;
use haechi_kms::Kms;
use haechi_kms_model::ops::{Decrypt, DescribeKey, Encrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, DescribeKeyRequest, DescribeKeyResponse, EncryptRequest,
    EncryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_secretsmanager::Keys;
use haechi_wire::{Fault, Problem};

/// KMS, for Secrets Manager.
pub struct SecretKeys {
    /// The keys.
    pub kms: Arc<Kms>,
    /// Where the calls of rotations are recorded, which no request is behind.
    pub audit: Arc<dyn AuditLog>,
}

#[async_trait]
impl Keys for SecretKeys {
    async fn managed_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault> {
        self.kms.aws_managed_key(account, region, "secretsmanager").await
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        cx.perform::<GenerateDataKey, _>(&*self.kms, input).await
    }

    async fn describe_key(
        &self,
        cx: &Cx,
        input: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, Problem> {
        Ok(Handle::<DescribeKey>::handle(&*self.kms, cx, input).await?)
    }

    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem> {
        cx.perform::<Encrypt, _>(&*self.kms, input).await
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        cx.perform::<Decrypt, _>(&*self.kms, input).await
    }

    async fn record(&self, cx: &Cx) -> Result<(), Fault> {
        record_unsent(&*self.audit, cx, &[], None).await
    }
}

/// KMS, for services that keep messages.
pub struct MessageKeys {
    /// The keys.
    pub kms: Arc<Kms>,
    /// Where the calls of deliveries are recorded, which no request is behind.
    pub audit: Arc<dyn AuditLog>,
}

#[async_trait]
impl haechi_sse::Keys for MessageKeys {
    async fn managed_key(
        &self,
        service: &str,
        account: &AccountId,
        region: &Region,
    ) -> Result<String, Fault> {
        self.kms.aws_managed_key(account, region, service).await
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        cx.perform::<GenerateDataKey, _>(&*self.kms, input).await
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        cx.perform::<Decrypt, _>(&*self.kms, input).await
    }

    async fn record(&self, cx: &Cx) -> Result<(), Fault> {
        record_unsent(&*self.audit, cx, &[], None).await
    }
}
