//! A service's surroundings in one process, for tests: memory store, a clock that the test moves,
//! callers of any account with any policies. No HTTP, no signatures: a test of a service calls
//! operations as the gateway would, with typed inputs.
//!
//! ```ignore
//! let kit = Kit::new().await;
//! let kms = Arc::new(Kms::new(kit.database.clone(), …));
//! let alice = kit.user("123456789012", "alice", &[r#"{"Statement":…}"#]);
//! let key = kit.call::<CreateKey, _>(&*kms, &alice, CreateKeyRequest::default()).await?;
//! ```
#![allow(clippy::expect_used, reason = "a test that cannot be set up must stop")]

mod directory;
pub mod peering;

pub use directory::Directory;

use std::sync::Arc;
use std::time::Duration;

use haechi_core::{
    AccountId, Caller, Cx, Database, Env, GuardrailSource, Handle, Jobs, MovableClock, Operation,
    PrincipalPolicies, Region, RequestInfo,
};
use haechi_crypto::{RootKey, SystemRandom};
use haechi_policy::{Document, Kind, Principal};
use haechi_store::Options;
use haechi_store_mem::MemStore;
use haechi_wire::{Fault, Problem, Timestamp};

/// The surroundings.
pub struct Kit {
    /// Records in memory.
    pub database: Arc<Database>,
    /// Time and randomness.
    pub env: Env,
    /// The clock behind `env`; starts at 2026-01-01T00:00:00Z.
    pub clock: Arc<MovableClock>,
    /// The job runner; `jobs.run_due()` runs what has fallen due.
    pub jobs: Arc<Jobs>,
    /// The Region of calls.
    pub region: Region,
}

impl Kit {
    /// Fresh surroundings.
    pub async fn new() -> Kit {
        let clock = Arc::new(MovableClock::new(Timestamp::from_seconds(1_767_225_600)));
        let random = Arc::new(SystemRandom::new());
        let env = Env::new(Arc::clone(&clock) as _, Arc::clone(&random) as _);
        let now = env.now();
        let time = env.clone();
        let store = Arc::new(MemStore::new(Options::new(move || {
            Duration::from_millis(u64::try_from(time.now().millis()).unwrap_or(0))
        })));
        let root = RootKey::generate(&*random).expect("randomness");
        let database =
            Database::open(store, root, random, now, 0).await.expect("a database in memory");
        let database = Arc::new(database);
        let jobs = Arc::new(Jobs::new(Arc::clone(&database), env.clone()));
        let region = Region::parse("us-east-1").expect("a Region");
        Kit { database, env, clock, jobs, region }
    }

    /// Lays the guardrails of `source` over every call, as the router does.
    pub fn guard(&self, source: Arc<dyn GuardrailSource>) {
        self.env.guard(source);
    }

    /// Lets policies name only users and roles that are made known: until this is called, they
    /// name whom they like.
    pub fn directory(&self) -> Arc<Directory> {
        let directory = Arc::new(Directory::default());
        self.env.know(Arc::clone(&directory) as _);
        directory
    }

    /// The root user of an account.
    pub fn root(&self, account: &str) -> Arc<Caller> {
        let arn = format!("arn:aws:iam::{account}:root");
        let principal = Principal::Root { arn, account: account.to_owned() };
        self.caller(principal, account, account, None, &[])
    }

    /// An IAM user with identity policies.
    pub fn user(&self, account: &str, name: &str, policies: &[&str]) -> Arc<Caller> {
        let unique_id = format!("AIDATEST{}", name.to_ascii_uppercase());
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let principal =
            Principal::User { arn, unique_id: unique_id.clone(), account: account.to_owned() };
        self.caller(principal, account, &unique_id, Some(name), policies)
    }

    fn caller(
        &self,
        principal: Principal,
        account: &str,
        user_id: &str,
        user_name: Option<&str>,
        policies: &[&str],
    ) -> Arc<Caller> {
        let identity = policies
            .iter()
            .map(|text| Arc::new(Document::parse(text, Kind::Identity).expect("a valid policy")))
            .collect();
        Arc::new(Caller {
            principal,
            account: AccountId::parse(account).expect("12 digits"),
            access_key_id: "AKIATESTTESTTESTTEST".to_owned(),
            user_id: user_id.to_owned(),
            user_name: user_name.map(str::to_owned),
            tags: Vec::new(),
            policies: PrincipalPolicies { identity, ..PrincipalPolicies::default() },
            issued: None,
            session: None,
        })
    }

    /// The context of one call.
    pub fn cx<Op: Operation>(&self, caller: &Arc<Caller>) -> Cx {
        let request = RequestInfo {
            id: self.env.uuid().expect("randomness").to_string(),
            source_ip: std::net::Ipv4Addr::LOCALHOST.into(),
            user_agent: Some("testkit".to_owned()),
            host: Some("localhost:4566".to_owned()),
            referer: None,
            trace: None,
            secure_transport: true,
            time: self.env.now(),
        };
        Cx::new(self.env.clone(), request, self.region.clone(), Arc::clone(caller), Op::SCHEMA)
    }

    /// Calls an operation as the router would: again from the start after a conflict.
    ///
    /// # Errors
    /// Whatever the operation answers.
    pub async fn call<Op: Operation, S: Handle<Op>>(
        &self,
        service: &S,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem> {
        loop {
            let cx = self.cx::<Op>(caller);
            if let Some(guardrails) = self.env.guardrails().await? {
                cx.guard(guardrails);
            }
            let outcome = service.handle(&cx, input.clone()).await;
            match outcome.map_err(Into::into) {
                Err(Problem::Fault(Fault::Conflict)) => {}
                other => return other,
            }
        }
    }
}

/// The code and message of what an operation answered in place of its output.
pub fn told(problem: &Problem) -> (&'static str, String) {
    (problem.code(haechi_wire::Protocol::Json11), problem.message())
}
