//! The key manager behind the proxy: this KMS. A request is served in the name of the root user of
//! the keys' account, so that a key's policy can refuse the proxy as it can refuse the account.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{
    AccountId, Caller, Clock, Cx, GuardrailSource, Operation as _, PrincipalPolicies, Region,
    RequestInfo, SystemClock,
};
use haechi_crypto::{ExternalCiphertext, MaterialHandle, SecretVec, SymmetricMaterial};
use haechi_kms_model::{Error, ops};
use haechi_policy::Principal;
use haechi_wire::{Fault, OperationSchema};
use haechi_xks::api::KeyManagerHealth;
use haechi_xks::{Asked, ErrorName, Health, KeyManager, KeyMetadata, KeyStore, Operation, Refusal};

use super::exposure::{self, ExposedKey, Exposure};
use super::record::record;
use crate::installation::Installation;

const VENDOR: &str = "haechi";

/// All key stores of the proxy.
pub struct Manager {
    installation: Arc<Installation>,
}

impl Manager {
    /// Over the keys of an installation.
    pub fn new(installation: Arc<Installation>) -> Manager {
        Manager { installation }
    }
}

#[async_trait]
impl KeyManager for Manager {
    fn now_seconds(&self) -> i64 {
        SystemClock.now().seconds()
    }

    async fn key_store(&self, prefix: &str) -> Result<Option<Arc<dyn KeyStore>>, Refusal> {
        let database = &self.installation.stack.database;
        let found = database.cached(&exposure::path(prefix), |row: Exposure| Ok(row)).await;
        let found = found.map_err(|fault| internal(&fault))?;
        let installation = &self.installation;
        Ok(found.map(|exposure| {
            let installation = Arc::clone(installation);
            Arc::new(Store { installation, exposure }) as Arc<dyn KeyStore>
        }))
    }
}

/// One key store of the proxy.
struct Store {
    installation: Arc<Installation>,
    exposure: Arc<Exposure>,
}

fn internal(fault: &dyn std::fmt::Debug) -> Refusal {
    tracing::error!(error = ?fault, "a request to the XKS proxy failed");
    Refusal::new(ErrorName::Internal, "The key manager failed.")
}

/// KMS's errors as the proxy's.
fn refused(error: Error) -> Refusal {
    let name = match &error {
        Error::NotFoundException(_) | Error::InvalidArnException(_) => ErrorName::KeyNotFound,
        Error::DisabledException(_) | Error::KMSInvalidStateException(_) => ErrorName::InvalidState,
        Error::InvalidKeyUsageException(_) => ErrorName::InvalidKeyUsage,
        Error::InvalidCiphertextException(_) => ErrorName::InvalidCiphertext,
        Error::Fault(Fault::AccessDenied(_)) => ErrorName::AccessDenied,
        Error::Fault(Fault::Throttled) => ErrorName::Throttling,
        other => return internal(other),
    };
    let message = match name {
        ErrorName::KeyNotFound => "There is no such key in this key store.",
        ErrorName::InvalidState => "The key is disabled, pending deletion or pending import.",
        ErrorName::InvalidKeyUsage => "The key does not do this.",
        ErrorName::InvalidCiphertext => {
            "The ciphertext, its metadata, tag or additional authenticated data is not that of an \
             encryption with this key."
        }
        ErrorName::AccessDenied => "The key's policy does not allow it to its account.",
        _ => "Too many requests.",
    };
    Refusal::new(name, message)
}

impl Store {
    fn exposed(&self, asked: &Asked<'_>) -> Result<ExposedKey, Refusal> {
        let missing = || Error::NotFoundException(String::new());
        self.exposure.key(asked.key_id).ok_or_else(|| refused(missing()))
    }

    /// The call that a request is to KMS.
    async fn cx(
        &self,
        asked: &Asked<'_>,
        operation: &'static OperationSchema,
    ) -> Result<Cx, Refusal> {
        let Installation { stack, env, .. } = &*self.installation;
        let Exposure { account, region, .. } = &*self.exposure;
        let region = Region::parse(region).ok_or_else(|| internal(region))?;
        let owner = AccountId::parse(account).ok_or_else(|| internal(account))?;
        let arn = format!("arn:{}:iam::{account}:root", region.partition());
        let caller = Caller {
            principal: Principal::Root { arn, account: account.clone() },
            account: owner,
            access_key_id: asked.access_key_id.to_owned(),
            user_id: account.clone(),
            user_name: None,
            tags: Vec::new(),
            policies: PrincipalPolicies::default(),
            issued: None,
            session: None,
        };
        let request = RequestInfo {
            id: env.uuid().map_err(|error| internal(&error))?.to_string(),
            source_ip: asked.source_ip,
            user_agent: Some(asked.user_agent.to_owned()),
            host: None,
            referer: None,
            trace: None,
            secure_transport: true,
            time: env.now(),
        };
        let cx = Cx::new(env.clone(), request, region, Arc::new(caller), operation);
        let guardrails = stack.organizations.guardrails().await;
        cx.guard(guardrails.map_err(|fault| internal(&fault))?);
        Ok(cx)
    }

    /// Whether cryptography works: a key that nobody has encrypts and decrypts.
    fn works(&self) -> bool {
        let random = &*self.installation.env.random;
        let tried = || {
            let material = SymmetricMaterial::generate(random).ok()?;
            let handle = MaterialHandle::generate(random).ok()?;
            let sealed = material.encrypt_externally(&handle, b"health", b"check", random).ok()?;
            let opened = material.decrypt_externally(&handle, b"health", &sealed).ok()?;
            Some(opened.expose() == b"check")
        };
        tried() == Some(true)
    }
}

#[async_trait]
impl KeyStore for Store {
    fn secret_access_key(&self, access_key_id: &str) -> Option<&str> {
        let mut credentials = self.exposure.credentials.iter();
        let found = credentials.find(|credential| credential.access_key_id == access_key_id)?;
        Some(found.secret_access_key.as_str())
    }

    async fn health(&self, _: &Asked<'_>) -> Result<Health, Refusal> {
        let stack = &self.installation.stack;
        let path = exposure::path(&self.exposure.prefix);
        let stored = stack.database.load::<Exposure>(&path).await.is_ok();
        let active = stored && stack.audit.is_healthy() && self.works();
        let model = format!("haechi {}", crate::cli::VERSION);
        Ok(Health {
            xks_proxy_fleet_size: 1,
            xks_proxy_vendor: VENDOR.to_owned(),
            xks_proxy_model: model.clone(),
            ekm_vendor: VENDOR.to_owned(),
            ekm_fleet_details: vec![KeyManagerHealth {
                id: VENDOR.to_owned(),
                model,
                health_status: if active { "ACTIVE" } else { "UNAVAILABLE" }.to_owned(),
            }],
        })
    }

    async fn key_metadata(&self, asked: &Asked<'_>) -> Result<KeyMetadata, Refusal> {
        let exposed = self.exposed(asked)?;
        let cx = self.cx(asked, ops::DescribeKey::SCHEMA).await?;
        let kms = &self.installation.stack.kms;
        let key = kms.proxied_key(&cx, asked.key_id).await.map_err(refused)?;
        let usages = [("ENCRYPT", exposed.encrypts), ("DECRYPT", exposed.decrypts)];
        let usages = usages.into_iter().filter(|(_, may)| key.serves && *may);
        Ok(KeyMetadata {
            key_spec: key.spec,
            key_usage: usages.map(|(usage, _)| usage.to_owned()).collect(),
            key_status: if key.enabled { "ENABLED" } else { "DISABLED" }.to_owned(),
        })
    }

    async fn encrypt(
        &self,
        asked: &Asked<'_>,
        additional_data: &[u8],
        plaintext: &SecretVec,
    ) -> Result<ExternalCiphertext, Refusal> {
        if !self.exposed(asked)?.encrypts {
            return Err(refused(Error::InvalidKeyUsageException(String::new())));
        }
        let cx = self.cx(asked, ops::Encrypt::SCHEMA).await?;
        let kms = &self.installation.stack.kms;
        kms.proxied_encrypt(&cx, asked.key_id, additional_data, plaintext).await.map_err(refused)
    }

    async fn decrypt(
        &self,
        asked: &Asked<'_>,
        additional_data: &[u8],
        sealed: &ExternalCiphertext,
    ) -> Result<SecretVec, Refusal> {
        if !self.exposed(asked)?.decrypts {
            return Err(refused(Error::InvalidKeyUsageException(String::new())));
        }
        let cx = self.cx(asked, ops::Decrypt::SCHEMA).await?;
        let kms = &self.installation.stack.kms;
        kms.proxied_decrypt(&cx, asked.key_id, additional_data, sealed).await.map_err(refused)
    }

    async fn record(&self, asked: &Asked<'_>, refusal: Option<&Refusal>) -> Result<(), Refusal> {
        let Installation { stack, env, .. } = &*self.installation;
        let event_id = env.uuid().map_err(|error| internal(&error))?.to_string();
        let written = record(asked, &self.exposure, refusal, env.now(), &event_id);
        let appended = stack.audit.append(written).await;
        if let Some(refusal) = refusal {
            let (operation, name) = (asked.operation.name(), refusal.name.as_str());
            tracing::info!(operation, name, key = asked.key_id, "the XKS proxy refused a request");
        }
        appended.map_err(|error| internal(&error))
    }
}

/// The operations that cryptography is asked for by; the others only look.
pub(super) fn touches_key(operation: Operation) -> bool {
    operation != Operation::GetHealthStatus
}
