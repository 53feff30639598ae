//! What the tests share: a KMS, its callers, and short ways to call it.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Caller, Handle, Operation};
use haechi_kms::Kms;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_testkit::{Kit, told};
use haechi_wire::{Blob, Problem, SecretBlob};

pub const ACCOUNT: &str = "111111111111";
pub const OTHER: &str = "222222222222";

/// An IAM policy that allows everything in KMS.
pub const ALL_KMS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"kms:*","Resource":"*"}]}"#;

pub struct World {
    pub kit: Kit,
    pub kms: Kms,
    /// The root user of [`ACCOUNT`].
    pub root: Arc<Caller>,
}

impl World {
    pub async fn new() -> World {
        let kit = Kit::new().await;
        let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
        let root = kit.root(ACCOUNT);
        World { kit, kms, root }
    }

    pub async fn call<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        Kms: Handle<Op>,
    {
        self.kit.call::<Op, _>(&self.kms, caller, input).await
    }

    /// A key of [`ACCOUNT`] with the default policy.
    pub async fn key(&self) -> KeyMetadata {
        self.key_with(CreateKeyRequest::default()).await
    }

    pub async fn key_with(&self, input: CreateKeyRequest) -> KeyMetadata {
        self.call::<ops::CreateKey>(&self.root, input).await.unwrap().key_metadata.unwrap()
    }

    /// A key of a spec and usage.
    pub async fn key_of(&self, spec: KeySpec, usage: KeyUsageType) -> KeyMetadata {
        let (key_spec, key_usage) = (Some(spec), Some(usage));
        let key =
            self.key_with(CreateKeyRequest { key_spec, key_usage, ..Default::default() }).await;
        assert_eq!((key.key_spec, key.key_usage), (key_spec, key_usage));
        key
    }

    /// A key of [`ACCOUNT`] with this policy, whether or not it locks its owner out.
    pub async fn key_under(&self, policy: &str) -> KeyMetadata {
        self.key_with(CreateKeyRequest {
            policy: Some(policy.to_owned()),
            bypass_policy_lockout_safety_check: Some(true),
            ..Default::default()
        })
        .await
    }

    pub async fn alias(&self, name: &str, key_id: &str) {
        let (alias_name, target_key_id) = (name.to_owned(), key_id.to_owned());
        let input = CreateAliasRequest { alias_name, target_key_id };
        self.call::<ops::CreateAlias>(&self.root, input).await.unwrap();
    }

    pub async fn encrypt(&self, caller: &Arc<Caller>, key_id: &str) -> Result<Blob, Problem> {
        let output = self.call::<ops::Encrypt>(caller, plain(key_id)).await?;
        Ok(output.ciphertext_blob.unwrap())
    }

    pub async fn decrypt(&self, caller: &Arc<Caller>, blob: &Blob) -> Result<Vec<u8>, Problem> {
        let output = self.call::<ops::Decrypt>(caller, sealed(blob)).await?;
        Ok(output.plaintext.unwrap().0.clone())
    }

    pub async fn describe(&self, key_id: &str) -> Result<KeyMetadata, Problem> {
        let input = DescribeKeyRequest { key_id: key_id.to_owned(), ..Default::default() };
        let output = self.call::<ops::DescribeKey>(&self.root, input).await?;
        Ok(output.key_metadata.unwrap())
    }

    pub async fn disable(&self, key_id: &str) {
        let input = DisableKeyRequest { key_id: key_id.to_owned() };
        self.call::<ops::DisableKey>(&self.root, input).await.unwrap();
    }

    pub async fn schedule_deletion(&self, key_id: &str, days: i32) {
        let input = ScheduleKeyDeletionRequest {
            key_id: key_id.to_owned(),
            pending_window_in_days: Some(days),
        };
        self.call::<ops::ScheduleKeyDeletion>(&self.root, input).await.unwrap();
    }

    /// Lets days pass, and what falls due happen.
    pub async fn pass_days(&self, days: i64) {
        self.kit.clock.advance(days * 24 * 60 * 60);
        self.kit.jobs.run_due().await.unwrap();
    }

    pub fn key_arn(&self, id: &str) -> String {
        format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{id}")
    }
}

pub const PLAINTEXT: &[u8] = b"attack at dawn";

/// A request to encrypt [`PLAINTEXT`].
pub fn plain(key_id: &str) -> EncryptRequest {
    EncryptRequest {
        key_id: key_id.to_owned(),
        plaintext: SecretBlob(PLAINTEXT.to_vec()),
        ..Default::default()
    }
}

/// A request to decrypt.
pub fn sealed(blob: &Blob) -> DecryptRequest {
    DecryptRequest { ciphertext_blob: Some(blob.clone()), ..Default::default() }
}

pub fn context(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

/// Code and message of a refusal.
pub fn refused<T>(outcome: Result<T, Problem>) -> (&'static str, String) {
    match outcome {
        Ok(_) => panic!("it was not refused"),
        Err(problem) => told(&problem),
    }
}

/// Asserts a refusal, code and message.
#[track_caller]
pub fn assert_refused<T>(outcome: Result<T, Problem>, code: &str, message: &str) {
    let (found, told) = refused(outcome);
    assert_eq!((found, told.as_str()), (code, message));
}

/// A key policy of one statement.
pub fn policy(effect: &str, principal: &str, action: &str) -> String {
    let statement = statement(effect, principal, action, "{}");
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

pub fn statement(effect: &str, principal: &str, action: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{{"AWS":"{principal}"}},"Action":"{action}",
            "Resource":"*","Condition":{condition}}}"#
    )
}

pub fn root_arn(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}
