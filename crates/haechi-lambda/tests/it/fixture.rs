//! A function, and a role that notes what it is to send.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::{Caller, Handle, Operation, Source};
use haechi_lambda::{
    EventQueue, ExecutionRoles, Lambda, Message, QueueMessage, QueueRefusal, RoleCredentials,
};
use haechi_lambda_model::ops::{CreateFunction, PublishVersion, UpdateFunctionConfiguration};
use haechi_lambda_model::shapes::{
    CreateFunctionRequest, DeadLetterConfig, FunctionCode, PublishVersionRequest,
    UpdateFunctionConfigurationRequest,
};
use haechi_testkit::{Kit, told};
use haechi_wire::{Fault, Problem, SecretBlob, SecretString};

pub const ACCOUNT: &str = "111122223333";

/// The ARN of a function of the account, or of what is named behind it.
pub fn arn_of(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}")
}

/// The ARN of a queue of the account.
pub fn queue_of(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

#[derive(Default)]
struct Roles {
    sent: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl ExecutionRoles for Roles {
    async fn assume(
        &self,
        _: Source,
        _: &str,
        _: &str,
        _: &str,
    ) -> Result<Option<RoleCredentials>, Fault> {
        let secret = || SecretString("secret".to_owned());
        Ok(Some(RoleCredentials {
            access_key_id: "ASIATESTTESTTESTTEST".to_owned(),
            secret_access_key: secret(),
            session_token: secret(),
        }))
    }

    async fn send(&self, _: Source, _: &str, _: &str, message: Message) -> Result<(), String> {
        self.sent.lock().unwrap().push((message.target_arn, message.body));
        Ok(())
    }

    async fn queue(
        &self,
        _: Source,
        _: &str,
        _: &str,
        _: &str,
    ) -> Result<Arc<dyn EventQueue>, QueueRefusal> {
        Ok(Arc::new(Empty))
    }
}

/// A queue without messages.
struct Empty;

#[async_trait]
impl EventQueue for Empty {
    async fn check(&self) -> Result<i64, QueueRefusal> {
        Ok(30)
    }

    async fn receive(&self, _: i32, _: i32) -> Result<Vec<QueueMessage>, QueueRefusal> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: Vec<String>) -> Result<(), QueueRefusal> {
        Ok(())
    }
}

/// An archive with files of these names; those that end in `/` are folders.
pub fn archive(names: &[&str]) -> FunctionCode {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in names {
        archive.start_file(*name, options).unwrap();
        if !name.ends_with('/') {
            archive.write_all(b"def handler(event, context): return event").unwrap();
        }
    }
    let zip_file = Some(SecretBlob(archive.finish().unwrap().into_inner()));
    FunctionCode { zip_file, ..Default::default() }
}

/// What makes a function in an account.
pub fn new_function(account: &str, name: &str) -> CreateFunctionRequest {
    CreateFunctionRequest {
        function_name: name.to_owned(),
        runtime: Some("python3.12".to_owned()),
        handler: Some("index.handler".to_owned()),
        role: format!("arn:aws:iam::{account}:role/run"),
        code: archive(&["index.py"]),
        ..Default::default()
    }
}

pub struct Fixture {
    pub kit: Kit,
    pub lambda: Arc<Lambda>,
    pub root: Arc<Caller>,
    roles: Arc<Roles>,
}

impl Fixture {
    /// With a function of this name.
    pub async fn new(name: &str) -> Fixture {
        let kit = Kit::new().await;
        let roles = Arc::new(Roles::default());
        let (database, env) = (Arc::clone(&kit.database), kit.env.clone());
        let lambda = Lambda::new(database, env, &kit.jobs, Arc::clone(&roles) as _);
        let root = kit.root(ACCOUNT);
        let fixture = Fixture { kit, lambda, root, roles };
        fixture.create(name).await;
        fixture
    }

    pub async fn create(&self, name: &str) {
        self.done::<CreateFunction>(new_function(ACCOUNT, name)).await;
    }

    /// Publishes a version with this time-out and this dead-letter queue.
    pub async fn publish(&self, name: &str, timeout: i32, dead_letters: &str) {
        let input = UpdateFunctionConfigurationRequest {
            function_name: name.to_owned(),
            timeout: Some(timeout),
            dead_letter_config: Some(DeadLetterConfig { target_arn: Some(queue_of(dead_letters)) }),
            ..Default::default()
        };
        self.done::<UpdateFunctionConfiguration>(input).await;
        let input = PublishVersionRequest { function_name: name.to_owned(), ..Default::default() };
        self.done::<PublishVersion>(input).await;
    }

    pub async fn call<Op: Operation>(&self, input: Op::Input) -> Result<Op::Output, Problem>
    where
        Lambda: Handle<Op>,
    {
        self.call_as::<Op>(&self.root, input).await
    }

    pub async fn call_as<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        Lambda: Handle<Op>,
    {
        self.kit.call::<Op, _>(&*self.lambda, caller, input).await
    }

    pub async fn done_as<Op: Operation>(&self, caller: &Arc<Caller>, input: Op::Input) -> Op::Output
    where
        Lambda: Handle<Op>,
    {
        self.call_as::<Op>(caller, input).await.map_err(|problem| told(&problem)).unwrap()
    }

    /// The code and message of a refusal of a caller; of what is done, nothing.
    pub async fn refused_to<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> (&'static str, String)
    where
        Lambda: Handle<Op>,
    {
        let problem = self.call_as::<Op>(caller, input).await.err();
        problem.as_ref().map(told).unwrap_or_default()
    }

    pub async fn done<Op: Operation>(&self, input: Op::Input) -> Op::Output
    where
        Lambda: Handle<Op>,
    {
        self.call::<Op>(input).await.map_err(|problem| told(&problem)).unwrap()
    }

    /// The code and message of a refusal.
    pub async fn refused<Op: Operation>(&self, input: Op::Input) -> (&'static str, String)
    where
        Lambda: Handle<Op>,
    {
        told(&self.call::<Op>(input).await.err().unwrap())
    }

    /// Where the role sent something, and what.
    pub fn sent(&self) -> Vec<(String, String)> {
        self.roles.sent.lock().unwrap().clone()
    }
}
