//! Parameter Store, wired: what it asks of other services in the name of its callers, and where its
//! public parameters come from.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use haechi_core::{AccountId, Cx, Database, Env, Jobs, Region};
use haechi_kms::Kms;
use haechi_kms_model::ops::{Decrypt, Encrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, GenerateDataKeyRequest,
    GenerateDataKeyResponse,
};
use haechi_secretsmanager::SecretsManager;
use haechi_secretsmanager_model::ops::GetSecretValue;
use haechi_secretsmanager_model::shapes::{GetSecretValueRequest, GetSecretValueResponse};
use haechi_ssm::{PublicParameters, Ssm};
use haechi_wire::{Fault, Problem, Timestamp};

use crate::Failure;
use crate::data::DataDirectory;

/// Parameter Store over its records, with what it asks of others; its public parameters lie in the
/// data directory, where there is one.
///
/// # Errors
/// If the file of public parameters cannot be read, or is none.
pub fn parameter_store(
    (database, env, jobs): (&Arc<Database>, &Env, &Arc<Jobs>),
    kms: &Arc<Kms>,
    secrets: &Arc<SecretsManager>,
    data: Option<&DataDirectory>,
) -> Result<Ssm, Failure> {
    let keys = Arc::new(ParameterKeys(Arc::clone(kms)));
    let ssm = Ssm::new(Arc::clone(database), env.clone(), Arc::clone(jobs), keys)
        .with_secrets(Arc::new(ParameterSecrets(Arc::clone(secrets))));
    match data {
        Some(data) => Ok(ssm.with_public_parameters(public_parameters(data)?)),
        None => Ok(ssm),
    }
}

/// The operator's public parameters, as they are at the start.
fn public_parameters(data: &DataDirectory) -> Result<PublicParameters, Failure> {
    let path = data.public_parameters();
    let named = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(PublicParameters::default()),
        Err(error) => return Err(named(&error).into()),
    };
    let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
    let since = modified.map_err(|error| named(&error))?.duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    let parsed = PublicParameters::parse(&text, Timestamp::from_millis(millis));
    parsed.map_err(|error| named(&error).into())
}

/// Secrets Manager, for secrets read as parameters.
struct ParameterSecrets(Arc<SecretsManager>);

#[async_trait]
impl haechi_ssm::Secrets for ParameterSecrets {
    async fn get_secret_value(
        &self,
        cx: &Cx,
        input: GetSecretValueRequest,
    ) -> Result<GetSecretValueResponse, Problem> {
        cx.perform::<GetSecretValue, _>(&*self.0, input).await
    }
}

/// KMS, for values of `SecureString`s.
struct ParameterKeys(Arc<Kms>);

#[async_trait]
impl haechi_ssm::Keys for ParameterKeys {
    async fn default_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault> {
        self.0.aws_managed_key(account, region, "ssm").await
    }

    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem> {
        cx.perform::<Encrypt, _>(&*self.0, input).await
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        cx.perform::<Decrypt, _>(&*self.0, input).await
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        cx.perform::<GenerateDataKey, _>(&*self.0, input).await
    }
}
