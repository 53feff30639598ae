//! The real KMS, as services that keep messages ask for it, for their tests. A crate of its own, so
//! that tests of services without keys need not wait for KMS to compile.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, Cx, Database, Env, Handle, Jobs, Region};
use haechi_kms::Kms;
use haechi_kms_model::ops::{Decrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_sse::Keys;
use haechi_wire::{Fault, Problem};

/// The real KMS.
pub struct RealKeys(pub Arc<Kms>);

impl RealKeys {
    /// A KMS over the records of a test.
    pub fn new(database: &Arc<Database>, env: &Env, jobs: &Arc<Jobs>) -> RealKeys {
        let (database, jobs) = (Arc::clone(database), Arc::clone(jobs));
        RealKeys(Arc::new(Kms::new(database, env.clone(), jobs)))
    }
}

#[async_trait]
impl Keys for RealKeys {
    async fn managed_key(
        &self,
        service: &str,
        account: &AccountId,
        region: &Region,
    ) -> Result<String, Fault> {
        self.0.aws_managed_key(account, region, service).await
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        Ok(Handle::<GenerateDataKey>::handle(&*self.0, cx, input).await?)
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        Ok(Handle::<Decrypt>::handle(&*self.0, cx, input).await?)
    }

    async fn record(&self, _: &Cx) -> Result<(), Fault> {
        Ok(())
    }
}
