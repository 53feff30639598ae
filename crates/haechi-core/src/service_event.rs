//! What a service does by itself (a key rotates at its date): CloudTrail tells of it in records of
//! type `AwsServiceEvent`.
//!
//! The record is a job, written in the same batch as the change that it tells of: it is in the log
//! if and only if the change was committed. After a crash it may stand there twice, with one
//! `eventID`.
//!
//! Source: CloudTrail user guide, "Non-API events captured by CloudTrail".

use std::sync::Arc;

use async_trait::async_trait;
use haechi_wire::{Fault, Timestamp};
use serde_json::{Value, json};

use crate::{AuditLog, Batch, Env, Job, JobHandler, Jobs};

/// The kind of the jobs that carry records.
const RECORD_JOB: &str = "record";

/// Something that a service does by itself to a resource.
pub struct ServiceEvent<'a> {
    /// `eventSource`, e.g. `kms.amazonaws.com`.
    pub source: &'static str,
    /// `eventName`, e.g. `RotateKey`.
    pub name: &'static str,
    /// The account that owns the resource.
    pub account: &'a str,
    /// The Region that it is in.
    pub region: &'a str,
    /// The resource's type, e.g. `AWS::KMS::Key`.
    pub kind: &'static str,
    /// The resource.
    pub arn: &'a str,
    /// `serviceEventDetails`: a JSON object, or null.
    pub details: Value,
}

impl ServiceEvent<'_> {
    fn record(&self, event_id: &str, time: Timestamp) -> Value {
        const INTERNAL: &str = "AWS Internal";
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": { "accountId": self.account, "invokedBy": INTERNAL },
            "eventTime": time.iso8601(),
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": self.region,
            "sourceIPAddress": INTERNAL,
            "userAgent": INTERNAL,
            "requestParameters": null,
            "responseElements": null,
            "eventID": event_id,
            "readOnly": false,
            "resources": [{ "accountId": self.account, "type": self.kind, "ARN": self.arn }],
            "eventType": "AwsServiceEvent",
            "managementEvent": true,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        });
        if let (Value::Object(_), Some(map)) = (&self.details, record.as_object_mut()) {
            map.insert("serviceEventDetails".to_owned(), self.details.clone());
        }
        record
    }
}

impl Batch {
    /// Has it recorded that a service does this by itself, if the batch is committed.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn record(
        &mut self,
        env: &Env,
        now: Timestamp,
        event: &ServiceEvent<'_>,
    ) -> Result<(), Fault> {
        let id = env.uuid().map_err(Fault::internal)?.to_string();
        let record = event.record(&id, now).to_string();
        self.schedule(&Job::at_once(RECORD_JOB, &id, now, record));
        Ok(())
    }
}

/// Puts records into the audit log.
struct Write(Arc<dyn AuditLog>);

#[async_trait]
impl JobHandler for Write {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        self.0.append(job.payload.clone().into_bytes()).await.map_err(|error| {
            Fault::Unavailable {
                message: "What a service did could not be recorded in the audit log.",
                source: Box::new(error),
            }
        })?;
        Ok(Batch::new())
    }
}

/// Has what services do by themselves written to this log.
pub fn record_service_events(jobs: &Jobs, audit: Arc<dyn AuditLog>) {
    jobs.handle(RECORD_JOB, Arc::new(Write(audit)));
}
