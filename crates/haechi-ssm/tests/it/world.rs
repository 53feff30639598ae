//! What the tests share: a Parameter Store over a KMS, its callers, and short ways to call it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::event::{EVENT_JOB, Event};
use haechi_core::{AccountId, Batch, Caller, Cx, Handle, Job, JobHandler, Operation, Region};
use haechi_kms::Kms;
use haechi_kms_model::ops as kms_ops;
use haechi_kms_model::shapes as kms_shapes;
use haechi_ssm::{Keys, Ssm};
use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;
use haechi_testkit::{Kit, told};
use haechi_wire::{Fault, Problem, SecretString, Timestamp};

pub const ACCOUNT: &str = "111111111111";
pub const OTHER: &str = "222222222222";

/// An IAM policy that allows everything.
pub const ALL: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// KMS as Parameter Store asks it.
pub struct TestKeys(pub Arc<Kms>);

#[async_trait]
impl Keys for TestKeys {
    async fn default_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault> {
        self.0.aws_managed_key(account, region, "ssm").await
    }
    async fn encrypt(
        &self,
        cx: &Cx,
        input: kms_shapes::EncryptRequest,
    ) -> Result<kms_shapes::EncryptResponse, Problem> {
        Handle::<kms_ops::Encrypt>::handle(&*self.0, cx, input).await.map_err(Into::into)
    }
    async fn decrypt(
        &self,
        cx: &Cx,
        input: kms_shapes::DecryptRequest,
    ) -> Result<kms_shapes::DecryptResponse, Problem> {
        Handle::<kms_ops::Decrypt>::handle(&*self.0, cx, input).await.map_err(Into::into)
    }
    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: kms_shapes::GenerateDataKeyRequest,
    ) -> Result<kms_shapes::GenerateDataKeyResponse, Problem> {
        Handle::<kms_ops::GenerateDataKey>::handle(&*self.0, cx, input).await.map_err(Into::into)
    }
}

/// Events that were delivered.
#[derive(Default)]
pub struct Bus(Mutex<Vec<Event>>);

#[async_trait]
impl JobHandler for Bus {
    async fn run(&self, job: &Job, _now: Timestamp) -> Result<Batch, Fault> {
        self.0.lock().unwrap().push(Event::of(job)?);
        Ok(Batch::new())
    }
}

pub struct World {
    pub kit: Kit,
    pub kms: Arc<Kms>,
    pub ssm: Ssm,
    /// The root user of [`ACCOUNT`].
    pub root: Arc<Caller>,
    bus: Arc<Bus>,
}

impl World {
    pub async fn new() -> World {
        World::with(|ssm| ssm).await
    }

    /// A Parameter Store that is set up further.
    pub async fn with(set_up: impl FnOnce(Ssm) -> Ssm) -> World {
        let kit = Kit::new().await;
        let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
        let kms = Arc::new(kms);
        let keys = Arc::new(TestKeys(Arc::clone(&kms)));
        let (database, env, jobs) =
            (Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
        let ssm = set_up(Ssm::new(database, env, jobs, keys));
        let bus = Arc::new(Bus::default());
        kit.jobs.handle(EVENT_JOB, Arc::clone(&bus) as _);
        let root = kit.root(ACCOUNT);
        World { kit, kms, ssm, root, bus }
    }

    /// Runs what is due, and takes the events that were put on the bus since the last time.
    pub async fn events(&self) -> Vec<Event> {
        self.kit.jobs.run_due().await.unwrap();
        std::mem::take(&mut *self.bus.0.lock().unwrap())
    }

    pub async fn as_user<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        Ssm: Handle<Op>,
    {
        self.kit.call::<Op, _>(&self.ssm, caller, input).await
    }

    pub async fn call<Op: Operation>(&self, input: Op::Input) -> Result<Op::Output, Problem>
    where
        Ssm: Handle<Op>,
    {
        self.as_user::<Op>(&self.root, input).await
    }

    pub async fn put(&self, input: PutParameterRequest) -> PutParameterResult {
        self.call::<ops::PutParameter>(input).await.unwrap()
    }

    pub async fn get(&self, name: &str) -> Result<Parameter, Problem> {
        let input = GetParameterRequest { name: name.to_owned(), with_decryption: Some(true) };
        Ok(self.call::<ops::GetParameter>(input).await?.parameter.unwrap())
    }

    pub async fn value(&self, name: &str) -> String {
        self.get(name).await.unwrap().value.unwrap().0.clone()
    }

    pub async fn delete(&self, name: &str) -> Result<(), Problem> {
        let input = DeleteParameterRequest { name: name.to_owned() };
        self.call::<ops::DeleteParameter>(input).await.map(|_| ())
    }

    pub async fn label(
        &self,
        name: &str,
        version: i64,
        labels: &[&str],
    ) -> Result<Vec<String>, Problem> {
        let input = LabelParameterVersionRequest {
            name: name.to_owned(),
            parameter_version: Some(version),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        };
        Ok(self.call::<ops::LabelParameterVersion>(input).await?.invalid_labels.unwrap())
    }

    /// A page of what is under a path: names, and the next token.
    pub async fn by_path(
        &self,
        input: GetParametersByPathRequest,
    ) -> (Vec<String>, Option<String>) {
        let page = self.call::<ops::GetParametersByPath>(input).await.unwrap();
        let names = page.parameters.unwrap().into_iter().map(|one| one.name.unwrap());
        (names.collect(), page.next_token)
    }
}

/// A request for a `String`.
pub fn string(name: &str, value: &str) -> PutParameterRequest {
    PutParameterRequest {
        name: name.to_owned(),
        value: SecretString(value.to_owned()),
        r#type: Some(ParameterType::String),
        ..Default::default()
    }
}

/// A request for a new value of what is there.
pub fn new_value(name: &str, value: &str) -> PutParameterRequest {
    PutParameterRequest { overwrite: Some(true), r#type: None, ..string(name, value) }
}

/// A request for a `SecureString`.
pub fn secure(name: &str, value: &str) -> PutParameterRequest {
    PutParameterRequest { r#type: Some(ParameterType::SecureString), ..string(name, value) }
}

/// The code that a call was refused with.
pub fn code<T>(outcome: Result<T, Problem>) -> &'static str {
    match outcome {
        Ok(_) => "no error",
        Err(problem) => told(&problem).0,
    }
}

/// The words that a call was refused with.
pub fn words<T>(outcome: Result<T, Problem>) -> String {
    match outcome {
        Ok(_) => "no error".to_owned(),
        Err(problem) => told(&problem).1,
    }
}
