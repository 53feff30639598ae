//! A service over a log that the test writes, and a sink that the test reads.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use haechi_cloudtrail::{CloudTrail, Delivery, DeliveryError, Object};
use haechi_cloudtrail_model::ops::{CreateTrail, StartLogging};
use haechi_cloudtrail_model::shapes::{CreateTrailRequest, StartLoggingRequest};
use haechi_core::{
    AuditPosition, AuditReadError, AuditReader, AuditWindow, Caller, Handle, Operation, Visit,
};
use haechi_testkit::Kit;
use haechi_wire::{Problem, Timestamp};

pub const ACCOUNT: &str = "111122223333";

/// A log in memory; two records stand in each frame.
#[derive(Default)]
pub struct TestLog(Mutex<Vec<Vec<u8>>>);

impl TestLog {
    fn all(&self) -> Vec<(AuditPosition, Vec<u8>)> {
        let records = self.0.lock().unwrap().clone();
        let at = |index: u32| AuditPosition { frame: u64::from(index / 2 + 1), index: index % 2 };
        (0..).map(at).zip(records).collect()
    }
}

impl AuditReader for TestLog {
    fn newest_first(
        &self,
        before: Option<AuditPosition>,
        _: AuditWindow,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        for (at, record) in self.all().iter().rev() {
            if before.is_none_or(|before| *at < before)
                && visit(*at, record) == ControlFlow::Break(())
            {
                break;
            }
        }
        Ok(())
    }

    fn oldest_first(
        &self,
        after: Option<AuditPosition>,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        for (at, record) in &self.all() {
            if Some(*at) > after && visit(*at, record) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

/// Keeps what it gets; `broken` lets it fail after the first object of each delivery.
#[derive(Default)]
pub struct Sink {
    pub objects: Mutex<BTreeMap<String, Vec<u8>>>,
    pub broken: AtomicBool,
}

impl Delivery for Sink {
    fn put(&self, object: &Object<'_>) -> Result<(), DeliveryError> {
        let key = format!("{}/{}", object.bucket, object.key);
        self.objects.lock().unwrap().insert(key, object.content.to_vec());
        if self.broken.load(Ordering::SeqCst) {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            return Err(DeliveryError::Failed { path: object.key.into(), source });
        }
        Ok(())
    }
}

impl Sink {
    /// Names of the objects of a kind, in order.
    pub fn names(&self, kind: &str) -> Vec<String> {
        let kind = format!("/{kind}/");
        let objects = self.objects.lock().unwrap();
        objects.keys().filter(|key| key.contains(&kind)).cloned().collect()
    }

    /// Names of the events in all log files, sorted.
    pub fn events(&self) -> Vec<String> {
        let mut events = Vec::new();
        for name in self.names("CloudTrail") {
            let file = self.objects.lock().unwrap().get(&name).unwrap().clone();
            let reader = flate2::read::GzDecoder::new(&*file);
            let json: serde_json::Value = serde_json::from_reader(reader).unwrap();
            let records = json["Records"].as_array().unwrap().iter();
            events.extend(records.map(|record| record["eventName"].as_str().unwrap().to_owned()));
        }
        events.sort();
        events
    }
}

/// The surroundings and the service.
pub struct World {
    pub kit: Kit,
    pub log: Arc<TestLog>,
    pub sink: Arc<Sink>,
    pub cloudtrail: CloudTrail,
    pub root: Arc<Caller>,
}

impl World {
    pub async fn new() -> World {
        let kit = Kit::new().await;
        let (log, sink) = (Arc::new(TestLog::default()), Arc::new(Sink::default()));
        let (database, jobs) = (Arc::clone(&kit.database), Arc::clone(&kit.jobs));
        let cloudtrail = CloudTrail::new(
            database,
            kit.env.clone(),
            jobs,
            Arc::clone(&log) as _,
            Arc::clone(&sink) as _,
        );
        let root = kit.root(ACCOUNT);
        World { kit, log, sink, cloudtrail, root }
    }

    pub async fn call<Op: Operation>(&self, input: Op::Input) -> Result<Op::Output, Problem>
    where
        CloudTrail: Handle<Op>,
    {
        self.kit.call::<Op, _>(&self.cloudtrail, &self.root, input).await
    }

    /// Appends the record of a call that comes now.
    pub fn record(&self, account: &str, region: &str, name: &str) {
        let time = self.now().iso8601();
        let count = self.log.0.lock().unwrap().len();
        let record = format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::{account}:user/eve","accountId":"{account}","accessKeyId":"AKIAEVE","userName":"eve"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"{name}","awsRegion":"{region}","eventID":"event-{count}","readOnly":false,"eventType":"AwsApiCall","recipientAccountId":"{account}","eventCategory":"Management"}}"#
        );
        self.log.0.lock().unwrap().push(record.into_bytes());
    }

    /// As [`Self::record`], in the test's account and Region.
    pub fn event(&self, name: &str) {
        self.record(ACCOUNT, "us-east-1", name);
    }

    pub fn now(&self) -> Timestamp {
        self.kit.env.now()
    }

    /// Lets time pass and does what falls due.
    pub async fn pass(&self, seconds: i64) {
        self.kit.clock.advance(seconds);
        self.kit.jobs.run_due().await.expect("jobs run");
    }

    /// A trail that logs, with log file validation.
    pub async fn logging(&self, name: &str, is_multi_region: bool) {
        self.call::<CreateTrail>(CreateTrailRequest {
            name: name.to_owned(),
            s3_bucket_name: "bucket".to_owned(),
            is_multi_region_trail: Some(is_multi_region),
            enable_log_file_validation: Some(true),
            ..CreateTrailRequest::default()
        })
        .await
        .expect("a trail");
        self.start(name).await;
    }

    pub async fn start(&self, name: &str) {
        let start = StartLoggingRequest { name: name.to_owned() };
        self.call::<StartLogging>(start).await.expect("logging");
    }
}
