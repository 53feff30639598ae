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
    pub name: &'a str,
    /// Who did it: [`INTERNAL`], or the service as in `eventSource`.
    pub by: &'static str,
    /// The account that owns the resource.
    pub account: &'a str,
    /// The Region that it is in.
    pub region: &'a str,
    /// The resource's type, e.g. `AWS::KMS::Key`.
    pub kind: &'static str,
    /// The resource.
    pub arn: &'a str,
    /// `serviceEventDetails`: a JSON object; null for none.
    pub details: Value,
    /// `additionalEventData`: a JSON object; null for none.
    pub additional: Value,
}

/// How most services call themselves in such records.
pub const INTERNAL: &str = "AWS Internal";

impl ServiceEvent<'_> {
    /// The record that tells of it.
    pub fn record(&self, event_id: &str, time: Timestamp) -> Value {
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": { "accountId": self.account, "invokedBy": self.by },
            "eventTime": time.iso8601(),
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": self.region,
            "sourceIPAddress": self.by,
            "userAgent": self.by,
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
        let more =
            [("serviceEventDetails", &self.details), ("additionalEventData", &self.additional)];
        if let Some(map) = record.as_object_mut() {
            let given = more.into_iter().filter(|(_, value)| value.is_object());
            map.extend(given.map(|(name, value)| (name.to_owned(), value.clone())));
        }
        record
    }
}

impl Batch {
    /// Has it recorded that a service does this by itself, if the batch is committed; answers the
    /// record.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn record(
        &mut self,
        env: &Env,
        now: Timestamp,
        event: &ServiceEvent<'_>,
    ) -> Result<Value, Fault> {
        let id = env.uuid().map_err(Fault::internal)?.to_string();
        let record = event.record(&id, now);
        self.schedule(&Job::at_once(RECORD_JOB, &id, now, record.to_string()));
        Ok(record)
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
