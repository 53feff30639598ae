//! Events on their way to an account's event buses; services put theirs on the default one.
//!
//! An event is a job, written in the same batch as the change that it tells of (a transactional
//! outbox): it exists if and only if the change was committed, and is delivered at least once.

use async_trait::async_trait;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Batch, Env, Job, Region};

/// The kind of the jobs that carry events.
pub const EVENT_JOB: &str = "event";

/// `detail-type` of events that tell of calls.
pub const API_CALL: &str = "AWS API Call via CloudTrail";

/// An event as EventBridge delivers it, on a bus of an account and Region.
/// Source: EventBridge user guide, "Structure of events".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `id`: a UUID.
    pub id: String,
    /// `time`: milliseconds since the epoch.
    pub time_ms: i64,
    /// When EventBridge got it, where that is not its own time; milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_ms: Option<i64>,
    /// `account`: where it happened.
    pub account: AccountId,
    /// `region`: where it happened.
    pub region: Region,
    /// The bus's name.
    pub bus: String,
    /// Where the bus is, if not where the event happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus_place: Option<(AccountId, Region)>,
    /// `source`, e.g. `aws.ssm`.
    pub source: String,
    /// `detail-type`, e.g. `Parameter Store Change`.
    pub detail_type: String,
    /// `resources`: ARNs.
    pub resources: Vec<String>,
    /// `detail`: a JSON object. No secret belongs in it.
    pub detail: serde_json::Value,
    /// Where it stands in a trace of X-Ray.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Event {
    /// An event of `source` about no resource in particular.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn new(
        env: &Env,
        (account, region): (&AccountId, &Region),
        time: Timestamp,
        (source, detail_type): (&str, &str),
        detail: serde_json::Value,
    ) -> Result<Event, Fault> {
        Ok(Event {
            id: env.uuid().map_err(Fault::internal)?.to_string(),
            time_ms: time.millis(),
            received_ms: None,
            account: account.clone(),
            region: region.clone(),
            bus: "default".to_owned(),
            bus_place: None,
            source: source.to_owned(),
            detail_type: detail_type.to_owned(),
            resources: Vec::new(),
            detail,
            trace: None,
        })
    }

    /// The same event about resources.
    #[must_use]
    pub fn about(mut self, resources: impl IntoIterator<Item = String>) -> Event {
        self.resources.extend(resources);
        self
    }

    /// The account and Region of its bus.
    pub fn place(&self) -> (&AccountId, &Region) {
        match &self.bus_place {
            Some((account, region)) => (account, region),
            None => (&self.account, &self.region),
        }
    }

    /// The same event on the bus of an account and Region.
    #[must_use]
    pub fn on(mut self, account: &AccountId, region: &Region, bus: &str) -> Event {
        let elsewhere = *account != self.account || *region != self.region;
        self.bus_place = elsewhere.then(|| (account.clone(), region.clone()));
        bus.clone_into(&mut self.bus);
        self
    }

    /// As rules match it and targets get it.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": self.account.as_str(),
            "time": Timestamp::from_millis(self.time_ms).format("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region.as_str(),
            "resources": self.resources,
            "detail": self.detail,
        })
    }

    /// Whether it tells of a call that only reads: rules get such events if they ask for them.
    /// Source: EventBridge user guide, "Receiving read-only management events from AWS services".
    pub fn is_of_reading_call(&self) -> bool {
        self.detail_type == API_CALL
            && self.source.starts_with("aws.")
            && self
                .detail
                .get("eventName")
                .and_then(|name| name.as_str())
                .is_some_and(is_reading_call)
    }

    /// The event that a job of kind [`EVENT_JOB`] carries.
    ///
    /// # Errors
    /// If the job carries none.
    pub fn of(job: &Job) -> Result<Event, Fault> {
        job.read()
    }
}

/// Whether EventBridge takes a call to be one that only reads: it goes by the name.
pub fn is_reading_call(name: &str) -> bool {
    let is_of_sts = ["GetFederationToken", "GetSessionToken"].contains(&name);
    !is_of_sts && ["Describe", "Get", "List"].iter().any(|verb| name.starts_with(verb))
}

/// Who listens on default buses: asked before a call is told of, as most calls interest nobody.
#[async_trait]
pub trait Listeners: Send + Sync + 'static {
    /// Whether any rule waits for events of an account in a Region.
    ///
    /// # Errors
    /// If rules cannot be read.
    async fn is_anybody_there(&self, account: &AccountId, region: &Region) -> Result<bool, Fault>;

    /// Whether any rule wants this event.
    ///
    /// # Errors
    /// If rules cannot be read.
    async fn want(&self, event: &Event) -> Result<bool, Fault>;
}

impl Batch {
    /// Puts an event on its bus, if the batch is committed. Wake the [`Jobs`](crate::Jobs) then.
    ///
    /// # Errors
    /// If the event has no JSON form.
    pub fn emit(&mut self, event: &Event) -> Result<(), Fault> {
        let payload = serde_json::to_string(event).map_err(Fault::internal)?;
        let due = Timestamp::from_millis(event.time_ms);
        self.schedule(&Job::at_once(EVENT_JOB, &event.id, due, payload));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use haechi_crypto::{RootKey, SystemRandom};
    use haechi_store::Options;
    use haechi_store_mem::MemStore;
    use serde_json::json;

    use super::*;
    use crate::{Database, JobHandler, Jobs, Path, SystemClock};

    #[derive(Default)]
    struct Bus(Mutex<Vec<Event>>);

    #[async_trait]
    impl JobHandler for Bus {
        async fn run(&self, job: &Job, _now: Timestamp) -> Result<Batch, Fault> {
            self.0.lock().unwrap().push(Event::of(job)?);
            Ok(Batch::new())
        }
    }

    async fn installation() -> (Env, Arc<Database>, Jobs) {
        let env = Env::new(Arc::new(SystemClock), Arc::new(SystemRandom::new()));
        let (store, root) = (
            Arc::new(MemStore::new(Options::new(|| std::time::Duration::ZERO))),
            RootKey::generate(&*env.random),
        );
        let random = Arc::clone(&env.random);
        let database = Database::open(store, root.unwrap(), random, env.now(), 0).await.unwrap();
        let database = Arc::new(database);
        let jobs = Jobs::new(Arc::clone(&database), env.clone());
        (env, database, jobs)
    }

    fn event(env: &Env) -> Event {
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        let kind = ("aws.ssm", "Parameter Store Change");
        let detail = json!({"name": "/a", "operation": "Create"});
        let event = Event::new(env, (&account, &region), env.now(), kind, detail).unwrap();
        event.about(["arn:aws:ssm:eu-west-1:111122223333:parameter/a".to_owned()])
    }

    #[tokio::test]
    async fn an_event_is_delivered_once_the_change_it_tells_of_is_committed() {
        let (env, database, jobs) = installation().await;
        let bus = Arc::new(Bus::default());
        jobs.handle(EVENT_JOB, Arc::clone(&bus) as _);
        let event = event(&env);
        let mut batch = Batch::new();
        batch.emit(&event).unwrap();
        database.commit(batch).await.unwrap();
        jobs.run_due().await.unwrap();
        assert_eq!(*bus.0.lock().unwrap(), [event]);
        assert!(database.list::<Job>(&Path::new("jobs"), None, 1).await.unwrap().items.is_empty());
    }

    #[test]
    fn calls_that_read_are_known_by_their_names() {
        let env = Env::new(Arc::new(SystemClock), Arc::new(SystemRandom::new()));
        let told = |source: &str, kind: &str, name: &str| {
            let mut event = event(&env);
            (event.source, event.detail_type) = (source.to_owned(), kind.to_owned());
            event.detail = json!({ "eventName": name });
            event.is_of_reading_call()
        };
        assert!(told("aws.kms", API_CALL, "DescribeKey"));
        assert!(told("aws.iam", API_CALL, "GetRole"));
        assert!(!told("aws.kms", API_CALL, "CreateKey"));
        // They make credentials.
        assert!(!told("aws.sts", API_CALL, "GetSessionToken"));
        assert!(!told("my.own", API_CALL, "GetRole"));
        assert!(!told("aws.ssm", "Parameter Store Change", "GetRole"));
    }

    #[tokio::test]
    async fn a_change_that_is_not_committed_tells_nobody() {
        let (env, database, jobs) = installation().await;
        let bus = Arc::new(Bus::default());
        jobs.handle(EVENT_JOB, Arc::clone(&bus) as _);
        let taken = Job::new("other", "1", env.now().plus_seconds(60), String::new());
        let path = Path::new("test").part("taken");
        let mut batch = Batch::new();
        batch.create(path.clone(), &taken);
        database.commit(batch).await.unwrap();
        let mut batch = Batch::new();
        batch.create(path, &taken);
        batch.emit(&event(&env)).unwrap();
        assert!(matches!(database.commit(batch).await, Err(Fault::Conflict)));
        jobs.run_due().await.unwrap();
        assert!(bus.0.lock().unwrap().is_empty());
    }
}
