//! Data keys: made, opened, and kept for their period.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use haechi_core::{AccountId, Cx, Env, Operation as _};
use haechi_kms_model::ops::{Decrypt, GenerateDataKey};
use haechi_kms_model::shapes::{DataKeySpec, DecryptRequest, GenerateDataKeyRequest};
use haechi_wire::{Blob, Fault, SecretBlob, Timestamp};

use crate::sealed::{Sealed, open, seal};
use crate::{Keys, Refused};

/// Data keys that are kept, at most; then those go first whose time ends first.
const KEPT_MAX: usize = 4096;

/// What a message is to be sealed under.
#[derive(Debug, Clone, Copy)]
pub struct Under<'a> {
    /// The KMS key as it is set on the resource: id, ARN or alias.
    pub kms_key_id: &'a str,
    /// The account that owns the resource: ids and aliases are its.
    pub account: &'a AccountId,
    /// The queue or topic.
    pub resource_arn: &'a str,
    /// How long a data key serves.
    pub reuse_seconds: i64,
}

/// A data key, to seal and to open.
#[derive(Clone)]
pub struct DataKey {
    sealed: Sealed,
    plain: Arc<SecretBlob>,
}

impl DataKey {
    /// Seals a text: what is to be stored beside it, and the text.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn seal(&self, env: &Env, text: &str) -> Result<(Sealed, String), Fault> {
        let text = seal(env, &self.plain, &self.sealed.resource_arn, text)?;
        Ok((self.sealed.clone(), text))
    }

    /// Opens a text that was sealed with it.
    ///
    /// # Errors
    /// If the text is not whole.
    pub fn open(&self, text: &str) -> Result<String, Fault> {
        open(&self.plain, &self.sealed.resource_arn, text)
    }
}

/// Whose a data key is, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    /// Who had it made or opened; the service itself is nobody.
    caller: String,
    resource_arn: String,
    /// The KMS key of one that was made; the encrypted data key of one that was opened.
    key: String,
}

struct Kept {
    until_ms: i64,
    key: DataKey,
}

/// The data keys of a service.
pub struct Envelope {
    keys: Arc<dyn Keys>,
    service: &'static str,
    /// The name of the encryption context: `aws:sqs:arn`.
    context: &'static str,
    kept: Mutex<HashMap<Name, Kept>>,
}

/// Who calls: the credentials count, as a session may be allowed less than its role, and of a
/// service the resource on whose behalf it comes.
fn who(cx: &Cx) -> String {
    let source = cx.source().map(|source| source.arn.as_str()).unwrap_or_default();
    format!("{}\n{}\n{source}", cx.caller.arn(), cx.caller.access_key_id)
}

impl Envelope {
    /// Those of a service (`sqs`), bound to its resources by the encryption context `context`.
    pub fn new(keys: Arc<dyn Keys>, service: &'static str, context: &'static str) -> Envelope {
        Envelope { keys, service, context, kept: Mutex::default() }
    }

    /// Where calls for work that nobody called for are recorded.
    pub fn keys(&self) -> &dyn Keys {
        &*self.keys
    }

    /// The data key to seal messages of the caller with.
    ///
    /// # Errors
    /// If KMS does not make one for the caller, or does not open it again.
    pub async fn data_key(&self, cx: &Cx, under: &Under<'_>) -> Result<DataKey, Refused> {
        let name = Name {
            caller: who(cx),
            resource_arn: under.resource_arn.to_owned(),
            key: under.kms_key_id.to_owned(),
        };
        if let Some(key) = self.find(&name, cx.env.now()) {
            return Ok(key);
        }
        let input = GenerateDataKeyRequest {
            key_id: self.key_of(cx, under).await?,
            encryption_context: Some(self.context_of(under.resource_arn)),
            key_spec: Some(DataKeySpec::Aes256),
            ..GenerateDataKeyRequest::default()
        };
        let call = cx.forward(GenerateDataKey::SCHEMA, self.service);
        let made = self.keys.generate_data_key(&call, input).await?;
        let (Some(data_key), Some(arn)) = (made.ciphertext_blob, made.key_id) else {
            return Err(Fault::internal("KMS answered no data key").into());
        };
        // As AWS: the sender opens it once, so that it is known to be good.
        let sealed = Sealed::new(arn, &data_key.0, under.resource_arn);
        let key = self.opened(cx, &sealed).await?;
        let until_ms = until_ms(cx.env.now(), under.reuse_seconds);
        // The service itself can hand on what was sent meanwhile.
        let own = Name { caller: String::new(), key: sealed.data_key.clone(), ..name.clone() };
        self.keep(own, until_ms, &key);
        self.keep(name, until_ms, &key);
        Ok(key)
    }

    /// The key that opens what was sealed, for the caller.
    ///
    /// # Errors
    /// If KMS does not open it for the caller.
    pub async fn key_for(
        &self,
        cx: &Cx,
        sealed: &Sealed,
        reuse_seconds: i64,
    ) -> Result<DataKey, Refused> {
        self.key_named(who(cx), cx, sealed, reuse_seconds).await
    }

    /// The key that opens what was sealed, for the service itself: `cx` is its own role.
    ///
    /// # Errors
    /// If KMS does not open it for that role.
    pub async fn key_for_service(
        &self,
        cx: &Cx,
        sealed: &Sealed,
        reuse_seconds: i64,
    ) -> Result<DataKey, Refused> {
        self.key_named(String::new(), cx, sealed, reuse_seconds).await
    }

    async fn key_named(
        &self,
        caller: String,
        cx: &Cx,
        sealed: &Sealed,
        reuse_seconds: i64,
    ) -> Result<DataKey, Refused> {
        let resource_arn = sealed.resource_arn.clone();
        let name = Name { caller, resource_arn, key: sealed.data_key.clone() };
        if let Some(key) = self.find(&name, cx.env.now()) {
            return Ok(key);
        }
        let key = self.opened(cx, sealed).await?;
        self.keep(name, until_ms(cx.env.now(), reuse_seconds), &key);
        Ok(key)
    }

    /// The KMS key of a resource, from whichever account the call comes.
    async fn key_of(&self, cx: &Cx, under: &Under<'_>) -> Result<String, Fault> {
        let (id, account, region) = (under.kms_key_id, under.account, &cx.region);
        let (partition, managed) = (region.partition(), format!("alias/aws/{}", self.service));
        let place = format!("arn:{partition}:kms:{region}:{account}:");
        if id == managed || id.strip_prefix(&place) == Some(&managed) {
            return self.keys.managed_key(self.service, account, region).await;
        }
        if id.starts_with("arn:") {
            return Ok(id.to_owned());
        }
        let kind = if id.starts_with("alias/") { "" } else { "key/" };
        Ok(format!("{place}{kind}{id}"))
    }

    fn context_of(&self, resource_arn: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(self.context.to_owned(), resource_arn.to_owned())])
    }

    async fn opened(&self, cx: &Cx, sealed: &Sealed) -> Result<DataKey, Refused> {
        let call = cx.forward(Decrypt::SCHEMA, self.service);
        let input = DecryptRequest {
            ciphertext_blob: Some(Blob(sealed.data_key()?)),
            encryption_context: Some(self.context_of(&sealed.resource_arn)),
            key_id: Some(sealed.kms_key_arn.clone()),
            ..DecryptRequest::default()
        };
        let opened = self.keys.decrypt(&call, input).await?;
        let Some(plain) = opened.plaintext else {
            return Err(Fault::internal("KMS answered no plaintext").into());
        };
        Ok(DataKey { sealed: sealed.clone(), plain: Arc::new(plain) })
    }

    fn find(&self, name: &Name, now: Timestamp) -> Option<DataKey> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(name).filter(|kept| kept.until_ms > now.millis());
        found.map(|kept| kept.key.clone())
    }

    fn keep(&self, name: Name, until_ms: i64, key: &DataKey) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            // Half of them, so that it is not done again with the next.
            let mut ends: Vec<i64> = kept.values().map(|kept| kept.until_ms).collect();
            ends.sort_unstable();
            let middle = ends.get(ends.len() / 2).copied().unwrap_or(i64::MAX);
            kept.retain(|_, kept| kept.until_ms > middle);
        }
        kept.insert(name, Kept { until_ms, key: key.clone() });
    }
}

fn until_ms(now: Timestamp, reuse_seconds: i64) -> i64 {
    now.plus_seconds(reuse_seconds).millis()
}
