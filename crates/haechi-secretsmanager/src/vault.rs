//! Values under data keys of KMS.
//!
//! ```text
//! row = arn of the KMS key ‖ data key as KMS encrypted it ‖ AES-256-GCM of the value
//! KMS encryption context = SecretARN, SecretVersionId
//! ```
//! A data key seals one value, once: so the nonce is constant. ARN and version are the additional
//! data. KMS is called in the caller's name, through this service (`kms:ViaService`).
//!
//! Source: User Guide, "Secret encryption and decryption".

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use haechi_core::database::Unknown;
use haechi_core::{AccountId, Cx, Operation, Record, Region};
use haechi_kms_model::ops::{Decrypt, DescribeKey, Encrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DataKeySpec, DecryptRequest, DecryptResponse, DescribeKeyRequest, DescribeKeyResponse,
    EncryptRequest, EncryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_secretsmanager_model::Error;
use haechi_wire::{Blob, Fault, Problem, SecretBlob, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret::SecretRecord;
use crate::store::value_path;
use crate::value::Plain;
use crate::{SecretsManager, words};

/// The alias of the AWS managed key.
pub(crate) const MANAGED_ALIAS: &str = "alias/aws/secretsmanager";

/// What `KmsKeyIds` shows of the AWS managed key.
pub(crate) const MANAGED_NAME: &str = "DefaultEncryptionKey";

/// The keys of KMS. The calls come with a context that already speaks for the caller, through this
/// service.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// The ARN of the AWS managed key `aws/secretsmanager`, made if it is not there.
    ///
    /// # Errors
    /// If the store fails.
    async fn managed_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault>;

    /// KMS's `GenerateDataKey`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem>;

    /// KMS's `Encrypt`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem>;

    /// KMS's `Decrypt`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem>;

    /// KMS's `DescribeKey`; not recorded, as nobody called for it.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn describe_key(
        &self,
        cx: &Cx,
        input: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, Problem>;

    /// Records the calls that were made for work that nobody called for.
    ///
    /// # Errors
    /// If the audit log cannot be written.
    async fn record(&self, cx: &Cx) -> Result<(), Fault>;
}

/// The value of a version.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ValueRecord {
    pub(crate) kms_key_arn: String,
    #[serde(with = "haechi_core::database::bytes")]
    pub(crate) data_key: Vec<u8>,
    #[serde(with = "haechi_core::database::bytes")]
    pub(crate) sealed: Vec<u8>,
    pub(crate) is_binary: bool,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for ValueRecord {}

/// The KMS calls of a secret happen in the secret's Region.
fn forward<Op: Operation>(cx: &Cx, record: &SecretRecord) -> Result<Cx, Fault> {
    let mut call = cx.forward(Op::SCHEMA, "secretsmanager");
    call.region = region(&record.region)?;
    Ok(call)
}

/// A Region that was stored.
pub(crate) fn region(name: &str) -> Result<Region, Fault> {
    Region::parse(name).ok_or_else(|| Fault::internal(format!("{name} is stored as a Region")))
}

fn context(record: &SecretRecord, version: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("SecretARN".to_owned(), record.arn.clone()),
        ("SecretVersionId".to_owned(), version.to_owned()),
    ])
}

fn cipher(key: &SecretBlob) -> Result<LessSafeKey, Fault> {
    UnboundKey::new(&AES_256_GCM, &key.0).map(LessSafeKey::new).map_err(Fault::internal)
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn additional(record: &SecretRecord, version: &str) -> Aad<Vec<u8>> {
    Aad::from([record.arn.as_bytes(), b"\0", version.as_bytes()].concat())
}

/// A key as it is named in KMS, from whichever account the call comes.
fn key_arn(region: &Region, account: &str, id: &str) -> String {
    if id.starts_with("arn:") {
        return id.to_owned();
    }
    let resource = if id.starts_with("alias/") { id.to_owned() } else { format!("key/{id}") };
    format!("arn:{}:kms:{region}:{account}:{resource}", region.partition())
}

/// A value under a data key, which seals nothing else.
fn sealed(
    record: &SecretRecord,
    (version, plain): (&str, &Plain),
    key: &SecretBlob,
    (kms_key_arn, data_key): (String, Blob),
) -> Result<ValueRecord, Fault> {
    let mut sealed = Zeroizing::new(Vec::with_capacity(plain.bytes().len() + 16));
    sealed.extend_from_slice(plain.bytes());
    cipher(key)?
        .seal_in_place_append_tag(nonce(), additional(record, version), &mut *sealed)
        .map_err(Fault::internal)?;
    Ok(ValueRecord {
        kms_key_arn,
        data_key: data_key.0,
        sealed: std::mem::take(&mut *sealed),
        is_binary: plain.is_binary(),
        unknown: BTreeMap::new(),
    })
}

/// Whether a secret that names its key so is under the AWS managed key.
pub(crate) fn is_managed(key: Option<&str>) -> bool {
    matches!(key, None | Some("" | MANAGED_ALIAS))
}

impl SecretsManager {
    async fn key_of(&self, record: &SecretRecord) -> Result<String, Fault> {
        let region = region(&record.region)?;
        match record.kms_key_id.as_deref() {
            None | Some("" | MANAGED_ALIAS) => {
                let account = AccountId::parse(&record.account)
                    .ok_or_else(|| Fault::internal("a secret without an account"))?;
                self.keys.managed_key(&account, &region).await
            }
            Some(id) => Ok(key_arn(&region, &record.account, id)),
        }
    }

    /// The ARN of the key that a request names for a secret, as conditions ask for it. Whose alias
    /// it is, KMS is asked by the service itself, as the caller need not be allowed to.
    pub(crate) async fn asked_key_arn(
        &self,
        cx: &Cx,
        account: &str,
        key: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let Some(key) = key.filter(|key| !is_managed(Some(key))) else { return Ok(None) };
        let named = key_arn(&cx.region, account, key);
        if !named.contains(":alias/") {
            return Ok(Some(named));
        }
        let Some(account) = AccountId::parse(account) else { return Ok(None) };
        let own = self.service_cx_at(&account, &cx.region).await?;
        let call = own.forward(DescribeKey::SCHEMA, "secretsmanager");
        let input = DescribeKeyRequest { key_id: named, ..DescribeKeyRequest::default() };
        match self.keys.describe_key(&call, input).await.map_err(trouble) {
            Ok(found) => Ok(found.key_metadata.and_then(|key| key.arn)),
            Err(Trouble::Other(problem)) => Err(other(problem)),
            Err(Trouble::Denied | Trouble::Key) => Ok(None),
        }
    }

    /// Seals the value of a version.
    pub(crate) async fn seal(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        version: &str,
        plain: &Plain,
    ) -> Result<ValueRecord, Error> {
        let call = forward::<GenerateDataKey>(cx, record)?;
        let input = GenerateDataKeyRequest {
            key_id: self.key_of(record).await?,
            encryption_context: Some(context(record, version)),
            key_spec: Some(DataKeySpec::Aes256),
            ..GenerateDataKeyRequest::default()
        };
        let made = self.keys.generate_data_key(&call, input).await.map_err(not_encrypted)?;
        let (Some(key), Some(data_key), Some(kms_key_arn)) =
            (made.plaintext, made.ciphertext_blob, made.key_id)
        else {
            return Err(Fault::internal("KMS answered no data key").into());
        };
        Ok(sealed(record, (version, plain), &key, (kms_key_arn, data_key))?)
    }

    /// Seals the value of a version that is there already: that takes the leave to encrypt under the
    /// key, besides that to make data keys. `None` for want of the first.
    pub(crate) async fn seal_again(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        version: &str,
        plain: &Plain,
    ) -> Result<Option<ValueRecord>, Error> {
        let value = self.seal(cx, record, version, plain).await?;
        if is_managed(record.kms_key_id.as_deref()) {
            return Ok(Some(value));
        }
        match self.seal_by_encrypt(cx, record, version, plain).await {
            Err(Error::Fault(Fault::AccessDenied(_))) => Ok(None),
            sealed => sealed.map(Some),
        }
    }

    /// Seals the value of a version; asks its KMS key to encrypt a data key, rather than to make
    /// one. So AWS does it for replicas of other accounts.
    pub(crate) async fn seal_by_encrypt(
        &self,
        cx: &Cx,
        replica: &SecretRecord,
        version: &str,
        plain: &Plain,
    ) -> Result<ValueRecord, Error> {
        let mut bytes = vec![0; 32];
        cx.env.random.fill(&mut bytes).map_err(Fault::internal)?;
        let key = SecretBlob(bytes);
        let call = forward::<Encrypt>(cx, replica)?;
        let input = EncryptRequest {
            key_id: self.key_of(replica).await?,
            plaintext: key.clone(),
            encryption_context: Some(context(replica, version)),
            ..EncryptRequest::default()
        };
        let made = self.keys.encrypt(&call, input).await.map_err(not_encrypted)?;
        let (Some(data_key), Some(kms_key_arn)) = (made.ciphertext_blob, made.key_id) else {
            return Err(Fault::internal("KMS answered no ciphertext").into());
        };
        Ok(sealed(replica, (version, plain), &key, (kms_key_arn, data_key))?)
    }

    /// The value of a version.
    pub(crate) async fn open(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        version: &str,
    ) -> Result<Plain, Error> {
        let path = value_path(record, version);
        let Some(value) = self.database.cached(&path, |row: ValueRecord| Ok(row)).await? else {
            return Err(
                Fault::internal(format!("{} has a version without a value", record.arn)).into()
            );
        };
        self.open_value(cx, record, version, &value).await
    }

    async fn open_value(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        version: &str,
        value: &Arc<ValueRecord>,
    ) -> Result<Plain, Error> {
        let call = forward::<Decrypt>(cx, record)?;
        let input = DecryptRequest {
            ciphertext_blob: Some(Blob(value.data_key.clone())),
            encryption_context: Some(context(record, version)),
            key_id: Some(value.kms_key_arn.clone()),
            ..DecryptRequest::default()
        };
        let opened = self.keys.decrypt(&call, input).await.map_err(not_decrypted)?;
        let Some(key) = opened.plaintext else {
            return Err(Fault::internal("KMS answered no plaintext").into());
        };
        let mut bytes = Zeroizing::new(value.sealed.clone());
        let length = cipher(&key)?
            .open_in_place(nonce(), additional(record, version), &mut bytes)
            .map_err(Fault::internal)?
            .len();
        bytes.truncate(length);
        let bytes = std::mem::take(&mut *bytes);
        if value.is_binary {
            return Ok(Plain::Binary(SecretBlob(bytes)));
        }
        let text = String::from_utf8(bytes).map_err(|_| Fault::internal("a text is not text"))?;
        Ok(Plain::Text(SecretString(text)))
    }
}

/// What is wrong with the key, if it is the key.
enum Trouble {
    Denied,
    Key,
    Other(Problem),
}

fn trouble(problem: Problem) -> Trouble {
    match problem {
        Problem::Fault(Fault::AccessDenied(_)) => Trouble::Denied,
        Problem::Modelled { code, .. } if code.starts_with("KMSInternal") => {
            Trouble::Other(problem)
        }
        Problem::Modelled { .. } | Problem::Fault(Fault::Validation(_)) => Trouble::Key,
        other => Trouble::Other(other),
    }
}

/// Refuses the AWS managed key to callers of other accounts.
pub(crate) fn within_account(
    cx: &Cx,
    record: &SecretRecord,
    key: Option<&str>,
) -> Result<(), Error> {
    if is_managed(key) && record.account != cx.account().as_str() {
        return Err(words::request(
            "You can't access a secret from a different AWS account if you encrypt the secret with \
             the default KMS service key.",
        ));
    }
    Ok(())
}

pub(crate) fn denied() -> Error {
    Error::Fault(Fault::AccessDenied("Access to KMS is not allowed".to_owned()))
}

fn other(problem: Problem) -> Error {
    match problem {
        Problem::Fault(fault) => Error::Fault(fault),
        Problem::Modelled { code, message, .. } => {
            Error::Fault(Fault::internal(format!("KMS: {code}: {message}")))
        }
    }
}

fn not_encrypted(problem: Problem) -> Error {
    match trouble(problem) {
        Trouble::Denied => denied(),
        Trouble::Key => Error::EncryptionFailure(
            "Secrets Manager can't encrypt the protected secret text using the provided KMS key. \
             Check that the KMS key is available, enabled, and not in an invalid state. For more \
             information, see Key state: Effect on your KMS key."
                .to_owned(),
        ),
        Trouble::Other(problem) => other(problem),
    }
}

fn not_decrypted(problem: Problem) -> Error {
    match trouble(problem) {
        Trouble::Denied => denied(),
        Trouble::Key => Error::DecryptionFailure(
            "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
                .to_owned(),
        ),
        Trouble::Other(problem) => other(problem),
    }
}

impl SecretsManager {
    /// The value of a version for a caller who was admitted to it. With the AWS managed key it does
    /// not leave the account.
    pub(crate) async fn reveal(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        version: &str,
    ) -> Result<Plain, Error> {
        let key = record.versions.get(version).and_then(|version| version.kms_key_id.as_deref());
        within_account(cx, record, key)?;
        self.open(cx, record, version).await
    }
}
