//! What the tests share: a Secrets Manager, its callers, and short ways to call it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::event::EVENT_JOB;
use haechi_core::{
    AccountId, Batch, Caller, Cx, Event, Handle, Job, JobHandler, Operation, Region,
};
use haechi_kms::Kms;
use haechi_kms_model::ops::{Decrypt, DescribeKey, Encrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, DescribeKeyRequest, DescribeKeyResponse, EncryptRequest,
    EncryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_secretsmanager::{Keys, Rotator, SecretsManager};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_testkit::{Kit, told};
use haechi_wire::{Fault, Problem, SecretString, Timestamp};

pub const ACCOUNT: &str = "111111111111";
pub const OTHER: &str = "222222222222";

/// An IAM policy that allows everything.
pub const ALL: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

struct RealKeys(Arc<Kms>);

#[async_trait]
impl Keys for RealKeys {
    async fn managed_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault> {
        self.0.aws_managed_key(account, region, "secretsmanager").await
    }

    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem> {
        Ok(Handle::<GenerateDataKey>::handle(&*self.0, cx, input).await?)
    }

    async fn describe_key(
        &self,
        cx: &Cx,
        input: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, Problem> {
        Ok(Handle::<DescribeKey>::handle(&*self.0, cx, input).await?)
    }

    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem> {
        Ok(Handle::<Encrypt>::handle(&*self.0, cx, input).await?)
    }

    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem> {
        Ok(Handle::<Decrypt>::handle(&*self.0, cx, input).await?)
    }

    async fn record(&self, _: &Cx) -> Result<(), Fault> {
        Ok(())
    }
}

/// Where events end.
#[derive(Default)]
pub struct Bus(pub Mutex<Vec<Event>>);

#[async_trait]
impl JobHandler for Bus {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        self.0.lock().unwrap().push(Event::of(job)?);
        Ok(Batch::new())
    }
}

pub struct World {
    pub kit: Kit,
    pub kms: Arc<Kms>,
    pub secrets: Arc<SecretsManager>,
    pub bus: Arc<Bus>,
    /// The root user of [`ACCOUNT`].
    pub root: Arc<Caller>,
}

impl World {
    pub async fn new() -> World {
        World::with(Vec::new()).await
    }

    pub async fn with(rotators: Vec<(&'static str, Arc<dyn Rotator>)>) -> World {
        let kit = Kit::new().await;
        let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
        let kms = Arc::new(kms);
        let bus = Arc::new(Bus::default());
        kit.jobs.handle(EVENT_JOB, Arc::clone(&bus) as _);
        let secrets = service(&kit, &kms, &rotators);
        let root = kit.root(ACCOUNT);
        World { kit, kms, secrets, bus, root }
    }

    /// As after a crash: everything anew but what is stored.
    pub fn restart(&mut self, rotators: &[(&'static str, Arc<dyn Rotator>)]) {
        self.secrets = service(&self.kit, &self.kms, rotators);
    }

    pub async fn call<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        SecretsManager: Handle<Op>,
    {
        self.kit.call::<Op, _>(&*self.secrets, caller, input).await
    }

    /// The same in another Region.
    pub async fn call_in<Op: Operation>(
        &self,
        region: &str,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        SecretsManager: Handle<Op>,
    {
        loop {
            let mut cx = self.kit.cx::<Op>(&self.root);
            cx.region = Region::parse(region).unwrap();
            match self.secrets.handle(&cx, input.clone()).await.map_err(Into::into) {
                Err(Problem::Fault(Fault::Conflict)) => {}
                other => return other,
            }
        }
    }

    pub async fn create(&self, name: &str, value: &str) -> CreateSecretResponse {
        self.call::<ops::CreateSecret>(&self.root, new(name, Some(value))).await.unwrap()
    }

    pub async fn put(&self, id: &str, value: &str) -> PutSecretValueResponse {
        self.call::<ops::PutSecretValue>(&self.root, value_of(id, value)).await.unwrap()
    }

    pub async fn get(&self, id: &str) -> Result<GetSecretValueResponse, Problem> {
        self.get_as(&self.root, id).await
    }

    pub async fn get_as(
        &self,
        caller: &Arc<Caller>,
        id: &str,
    ) -> Result<GetSecretValueResponse, Problem> {
        let input = GetSecretValueRequest { secret_id: id.to_owned(), ..Default::default() };
        self.call::<ops::GetSecretValue>(caller, input).await
    }

    pub async fn text(&self, id: &str) -> String {
        self.get(id).await.unwrap().secret_string.unwrap().0.clone()
    }

    pub async fn describe(&self, id: &str) -> DescribeSecretResponse {
        let input = DescribeSecretRequest { secret_id: id.to_owned() };
        self.call::<ops::DescribeSecret>(&self.root, input).await.unwrap()
    }

    pub async fn delete(&self, id: &str, days: i64) -> DeleteSecretResponse {
        let input = DeleteSecretRequest {
            secret_id: id.to_owned(),
            recovery_window_in_days: Some(days),
            force_delete_without_recovery: None,
        };
        self.call::<ops::DeleteSecret>(&self.root, input).await.unwrap()
    }

    pub async fn put_policy(&self, id: &str, policy: &str) {
        let input = PutResourcePolicyRequest {
            secret_id: id.to_owned(),
            resource_policy: policy.to_owned(),
            ..Default::default()
        };
        self.call::<ops::PutResourcePolicy>(&self.root, input).await.unwrap();
    }

    /// Lets time pass, and what falls due happen.
    pub async fn pass(&self, seconds: i64) {
        self.kit.clock.advance(seconds);
        self.kit.jobs.run_due().await.unwrap();
    }

    /// The names of the events so far.
    pub async fn events(&self) -> Vec<String> {
        self.kit.jobs.run_due().await.unwrap();
        let events = self.bus.0.lock().unwrap();
        let name = |event: &Event| event.detail["eventName"].as_str().unwrap().to_owned();
        events.iter().map(name).collect()
    }
}

/// A token of its own for each request, as clients make one.
pub fn token() -> Option<String> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    Some(format!("{:032}", MADE.fetch_add(1, Ordering::Relaxed)))
}

pub const DAY: i64 = 24 * 60 * 60;

fn service(
    kit: &Kit,
    kms: &Arc<Kms>,
    rotators: &[(&'static str, Arc<dyn Rotator>)],
) -> Arc<SecretsManager> {
    let keys = Arc::new(RealKeys(Arc::clone(kms)));
    let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
    let mut secrets = SecretsManager::new(database, kit.env.clone(), jobs, keys);
    for (name, rotator) in rotators {
        secrets = secrets.with_rotator(name, Arc::clone(rotator));
    }
    Arc::new(secrets)
}

/// A request to create a secret.
pub fn new(name: &str, value: Option<&str>) -> CreateSecretRequest {
    CreateSecretRequest {
        client_request_token: token(),
        name: name.to_owned(),
        secret_string: value.map(|value| SecretString(value.to_owned())),
        ..Default::default()
    }
}

/// A request to put a value.
pub fn value_of(id: &str, value: &str) -> PutSecretValueRequest {
    PutSecretValueRequest {
        client_request_token: token(),
        secret_id: id.to_owned(),
        secret_string: Some(SecretString(value.to_owned())),
        ..Default::default()
    }
}

pub fn tag(key: &str, value: &str) -> Tag {
    Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) }
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

pub const NOT_FOUND: &str = "Secrets Manager can't find the specified secret.";
pub const MARKED: &str =
    "You can't perform this operation on the secret because it was marked for deletion.";
