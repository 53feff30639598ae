//! Tells EventBridge which calls were made: `AWS API Call via CloudTrail`.
//!
//! As in AWS this is a trail's doing: a call is told of if a trail that logs keeps it. A node goes
//! through its own log and puts events for what a rule wants on the default buses. How far it came
//! is written in the same transaction as the events, so that each call is told of once, also after
//! `kill -9`.
//!
//! Source: EventBridge user guide, "Events from AWS services via CloudTrail".

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::event::{API_CALL, Listeners};
use haechi_core::{AccountId, AuditPosition, Batch, Guardrails, Loaded, Region};
use haechi_wire::Fault;

use crate::event::Event;
use crate::store::{AnnouncedRecord, announced_path, trails_path};
use crate::trail::TrailRecord;
use crate::{CloudTrail, blocking};

/// How often the log is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// What is read at a time, and how many events one transaction takes, which takes a hundred writes.
const RECORDS_MAX: usize = 2_000;
const EVENTS_MAX: usize = 50;
const BYTES_MAX: usize = 256 << 10;
/// After how many records that interest nobody it is written down all the same how far it came.
const UNWRITTEN_MAX: usize = 100_000;

/// How far a node has told of its log.
struct Announced {
    at: AuditPosition,
    /// As it is stored.
    row: Option<Loaded<AnnouncedRecord>>,
    /// Records since then.
    unwritten: usize,
}

/// Records of calls, and where the last one that was read stands.
#[derive(Default)]
struct Heard {
    calls: Vec<(AuditPosition, Vec<u8>)>,
    read: usize,
    last: Option<AuditPosition>,
}

impl CloudTrail {
    /// Tells listeners of calls, for ever.
    pub async fn announce_calls(&self, listeners: Arc<dyn Listeners>) {
        let mut announced = None;
        loop {
            if let Err(fault) = self.announce(&mut announced, &*listeners).await {
                // What was not written is read again.
                announced = None;
                tracing::warn!(error = ?fault, "calls cannot be told of; trying again");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Tells of what came since the last time.
    async fn announce(
        &self,
        announced: &mut Option<Announced>,
        listeners: &dyn Listeners,
    ) -> Result<(), Fault> {
        let audit = Arc::clone(&self.audit);
        let end = blocking(move || audit.end().map_err(Fault::internal)).await?.unwrap_or_default();
        let progress = match announced {
            Some(progress) => progress,
            None => announced.insert(self.announced(end).await?),
        };
        // It begins again where a log was emptied.
        progress.at = progress.at.min(end);
        if progress.at == end {
            return Ok(());
        }
        let trails = self.database.list_all::<TrailRecord>(&trails_path()).await?;
        let trails: Vec<TrailRecord> = trails.into_iter().map(|row| row.value).collect();
        if !trails.iter().any(TrailRecord::is_logging) {
            progress.at = end;
            return Ok(());
        }
        let members = match self.memberships.get() {
            Some(source) => source.guardrails().await?,
            None => Arc::default(),
        };
        loop {
            let heard = self.hear(progress.at).await?;
            let Some(last) = heard.last else {
                progress.at = progress.at.max(end);
                return Ok(());
            };
            progress.unwritten += heard.read;
            let mut batch = Batch::new();
            let (mut count, mut bytes) = (0, 0);
            for (position, record) in &heard.calls {
                let Some(event) = self.event(record, &trails, &members, listeners).await? else {
                    continue;
                };
                if count == EVENTS_MAX || bytes > BYTES_MAX {
                    self.commit(std::mem::take(&mut batch), progress).await?;
                    (count, bytes) = (0, 0);
                }
                batch.emit(&event)?;
                progress.at = *position;
                (count, bytes) = (count + 1, bytes + record.len());
            }
            progress.at = last;
            if count > 0 || progress.unwritten > UNWRITTEN_MAX {
                self.commit(batch, progress).await?;
            }
        }
    }

    /// How far this node had come; at the end of its log if it begins.
    async fn announced(&self, end: AuditPosition) -> Result<Announced, Fault> {
        let path = announced_path(&self.jobs.ownership().on_this_node());
        let row = self.database.load::<AnnouncedRecord>(&path).await?;
        let at = row.as_ref().map_or(end, |row| row.value.position());
        Ok(Announced { at, row, unwritten: 0 })
    }

    /// Commits events, and with them how far it came.
    async fn commit(&self, mut batch: Batch, progress: &mut Announced) -> Result<(), Fault> {
        let path = announced_path(&self.jobs.ownership().on_this_node());
        let done = (progress.at.frame, progress.at.index);
        match &progress.row {
            Some(row) => {
                batch.replace(row, &AnnouncedRecord { done, ..row.value.clone() });
            }
            None => batch.create(path.clone(), &AnnouncedRecord { done, ..Default::default() }),
        }
        self.database.commit(batch).await?;
        progress.row = self.database.load(&path).await?;
        progress.unwritten = 0;
        self.jobs.wake();
        Ok(())
    }

    /// Reads on: records of calls that rules may want.
    async fn hear(&self, after: AuditPosition) -> Result<Heard, Fault> {
        let audit = Arc::clone(&self.audit);
        blocking(move || {
            let mut heard = Heard::default();
            audit
                .oldest_first(Some(after), &mut |position, record| {
                    heard.read += 1;
                    heard.last = Some(position);
                    if Event::parse(record).is_some_and(|event| event.event_type == "AwsApiCall") {
                        heard.calls.push((position, record.to_vec()));
                    }
                    if heard.read < RECORDS_MAX {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                })
                .map_err(Fault::internal)?;
            Ok(heard)
        })
        .await
    }

    /// What a record makes for EventBridge, if a trail keeps it and a rule wants it.
    async fn event(
        &self,
        record: &[u8],
        trails: &[TrailRecord],
        members: &Guardrails,
        listeners: &dyn Listeners,
    ) -> Result<Option<haechi_core::Event>, Fault> {
        let Some(call) = Event::parse(record) else { return Ok(None) };
        let place = (
            AccountId::parse(&call.recipient_account_id),
            Region::parse(&call.aws_region),
            call.event_source.strip_suffix(".amazonaws.com"),
        );
        let (Some(account), Some(region), Some(service)) = place else { return Ok(None) };
        let membership = members.membership(account.as_str());
        let organization = membership.map(|membership| membership.organization_id.as_str());
        if !trails.iter().any(|trail| trail.wants(&call, organization))
            || !listeners.is_anybody_there(&account, &region).await?
        {
            return Ok(None);
        }
        let detail = serde_json::from_slice(record).map_err(Fault::internal)?;
        let kind = (&*format!("aws.{service}"), API_CALL);
        let event =
            haechi_core::Event::new(&self.env, (&account, &region), call.time(), kind, detail)?;
        Ok(listeners.want(&event).await?.then_some(event))
    }
}
