//! Job: what a deleted topic leaves goes, and deduplication ids that are free again.

use std::sync::Weak;

use async_trait::async_trait;
use haechi_core::{Batch, Job, JobHandler, Loaded, Path, Record};
use haechi_wire::{Fault, Timestamp};

use crate::Sns;
use crate::arn;
use crate::delivery::alive;
use crate::store::{
    DeduplicationRecord, EndpointRecord, Place, SubscriptionRecord, TopicRecord, WaitingRecord,
};

/// The kind of the job.
pub(crate) const SWEEP: &str = "sns-sweep";

/// Seconds between two looks at a FIFO topic.
const EVERY_SECONDS: i64 = 3600;

/// Seconds until the next look where there is more than fits into one transaction.
const AGAIN_SECONDS: i64 = 1;

/// Rows of a kind that go in one transaction, which takes a hundred in all.
const ROWS_MAX: u32 = 20;

/// The job of a topic: at once if it is deleted, in an hour if it is a new FIFO topic.
pub(crate) fn job(topic_arn: &str, topic_id: &str, now: Timestamp, at_once: bool) -> Job {
    let due = now.plus_seconds(if at_once { 0 } else { EVERY_SECONDS });
    Job::new(SWEEP, topic_id, due, topic_arn.to_owned())
}

pub(crate) struct Sweeping {
    pub(crate) sns: Weak<Sns>,
}

#[async_trait]
impl JobHandler for Sweeping {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let sns = alive(&self.sns)?;
        let (place, _) = arn::own(&job.payload)?;
        let name = job.payload.rsplit(':').next().unwrap_or_default();
        let topic = sns.database.load::<TopicRecord>(&place.topic(name)).await?;
        let exists = topic.is_some_and(|topic| topic.value.id == job.id);
        let mut batch = Batch::new();
        let more = if exists {
            sns.forget_ids(&place, &job.id, now, &mut batch).await?
        } else {
            sns.clear(&place, &job.id, &mut batch).await?
        };
        if more || exists {
            let seconds = if more { AGAIN_SECONDS } else { EVERY_SECONDS };
            batch.schedule(&Job { due_ms: now.plus_seconds(seconds).millis(), ..job.clone() });
        }
        Ok(batch)
    }
}

impl Sns {
    /// Removes deduplication ids that are free again; answers whether there may be more.
    async fn forget_ids(
        &self,
        place: &Place,
        topic: &str,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<bool, Fault> {
        let (mut from, prefix) = (None, place.deduplications(topic));
        let mut removed = 0;
        loop {
            let page = self.database.list::<DeduplicationRecord>(&prefix, from.as_ref(), 500);
            let page = page.await?;
            for row in page.items.iter().filter(|row| row.value.until_ms <= now.millis()) {
                if removed == ROWS_MAX {
                    return Ok(true);
                }
                batch.remove(row);
                removed += 1;
            }
            from = page.next;
            if from.is_none() {
                return Ok(false);
            }
        }
    }

    /// Removes all rows of a topic that is gone; answers whether there may be more.
    async fn clear(&self, place: &Place, topic: &str, batch: &mut Batch) -> Result<bool, Fault> {
        let prefix = place.subscriptions(topic);
        let page = self.database.list::<SubscriptionRecord>(&prefix, None, ROWS_MAX).await?;
        for row in &page.items {
            batch.remove(row);
            remove_elsewhere(place, &row.value, batch);
        }
        let subscriptions = page.next.is_some();
        let endpoints = self.remove::<EndpointRecord>(&place.endpoints(topic), batch).await?;
        let messages = self.remove::<WaitingRecord>(&place.waiting(topic), batch).await?;
        let ids = self.remove::<DeduplicationRecord>(&place.deduplications(topic), batch).await?;
        batch.delete(place.sequence(topic));
        Ok(subscriptions || endpoints || messages || ids)
    }

    async fn remove<T: Record>(&self, prefix: &Path, batch: &mut Batch) -> Result<bool, Fault> {
        let page = self.database.list::<T>(prefix, None, ROWS_MAX).await?;
        page.items.iter().for_each(|row| batch.remove(row));
        Ok(page.next.is_some())
    }

    /// Removes a subscription, and what points to it.
    pub(crate) async fn forget(
        &self,
        place: &Place,
        topic: &str,
        found: &Loaded<SubscriptionRecord>,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        batch.remove(found);
        self.release(place, topic, &found.value, batch).await
    }

    /// Removes what points to a subscription: its endpoint may subscribe anew.
    pub(crate) async fn release(
        &self,
        place: &Place,
        topic: &str,
        record: &SubscriptionRecord,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let path = place.endpoint(topic, &record.protocol, &record.endpoint);
        let endpoint = self.database.load::<EndpointRecord>(&path).await?;
        // It may have subscribed anew already.
        if let Some(endpoint) = endpoint.filter(|row| row.value.subscription == record.id) {
            batch.remove(&endpoint);
        }
        remove_elsewhere(place, record, batch);
        Ok(())
    }
}

fn remove_elsewhere(place: &Place, record: &SubscriptionRecord, batch: &mut Batch) {
    if record.owner != place.account {
        let (account, region) = (record.owner.clone(), place.region.clone());
        batch.delete(Place { account, region }.elsewhere(&record.id));
    }
}
