//! Rows.
//!
//! ```text
//! /cloudtrail/<account>/<home Region>/<hidden name>   TrailRecord
//! /cloudtrail-chain/<hidden ARN of trail>/[<member>.]<Region>
//!                                                     ChainRecord: what was delivered there
//! /cloudtrail-key/<Region>/<fingerprint>              SigningKeyRecord
//! /cloudtrail-delivery[/<node>]                       DeliveryRecord: how far the log is delivered
//! /cloudtrail-announced[/<node>]                      AnnouncedRecord: how far EventBridge was told
//! ```
//! Where several nodes serve, each delivers its own log, in chains of its own (`….<node>`).
//!
//! Deliveries write chains and the delivery row, callers write trails, so that they do not meet.

use std::time::Duration;

use haechi_cloudtrail_model::Error;
use haechi_core::database::Unknown;
use haechi_core::{AuditPosition, Batch, Cx, Job, Loaded, Path, Record};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::name::TrailId;
use crate::organization::{self, organization};
use crate::trail::TrailRecord;
use crate::{CloudTrail, blocking, deliver};

/// How often a node looks for trails that were started on another one.
const FOLLOW_EVERY: Duration = Duration::from_secs(20);

/// What a trail delivered for one Region, and for one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ChainRecord {
    pub(crate) region: String,
    /// The member whose records these are, where the trail is an organization's and it is another
    /// account than the trail's.
    #[serde(default)]
    pub(crate) member: Option<String>,
    /// The node whose log they come from, where there are several.
    #[serde(default)]
    pub(crate) node: String,
    pub(crate) latest_delivery_ms: Option<i64>,
    pub(crate) latest_delivery_error: Option<String>,
    pub(crate) latest_digest_ms: Option<i64>,
    /// Where the next digest's time begins; `None` while there is no chain.
    pub(crate) digest_from_ms: Option<i64>,
    /// Log files that no digest names yet.
    pub(crate) pending: Vec<LogFile>,
    /// The newest digest.
    pub(crate) digest: Option<DigestLink>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A log file that was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogFile {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// SHA-256 of what is in it, in hex.
    pub(crate) hash: String,
    pub(crate) newest_ms: i64,
    pub(crate) oldest_ms: i64,
}

/// What a digest tells of the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DigestLink {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// SHA-256 of what is in it, in hex.
    pub(crate) hash: String,
    /// In hex.
    pub(crate) signature: String,
}

/// A key pair that signs digests.
#[derive(Serialize, Deserialize)]
pub struct SigningKeyRecord {
    pub(crate) region: String,
    pub(crate) fingerprint: String,
    /// PKCS#8 DER.
    pub(crate) private: Zeroizing<Vec<u8>>,
    /// PKCS#1 DER.
    pub(crate) public: Vec<u8>,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// How far the audit log was delivered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct DeliveryRecord {
    /// Position (frame, index) of the last record that was delivered, or wanted by nobody.
    pub(crate) done: (u64, u32),
    /// The last record of a delivery that has begun, and when it did: were it cut off, it is done
    /// again with the same records and the same names.
    pub(crate) begun: Option<(u64, u32, i64)>,
    /// When the waiting job is due.
    pub(crate) due_ms: Option<i64>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// How far EventBridge was told of the calls in the audit log.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct AnnouncedRecord {
    /// Position (frame, index) of the last record that was told of, or interested nobody.
    pub(crate) done: (u64, u32),
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for AnnouncedRecord {}
impl Record for ChainRecord {}
impl Record for SigningKeyRecord {}
impl Record for DeliveryRecord {}

/// All trails.
pub(crate) fn trails_path() -> Path {
    Path::new("cloudtrail")
}

/// Trails of an account.
pub(crate) fn account_path(account: &str) -> Path {
    trails_path().part(account)
}

pub(crate) fn trail_path(account: &str, region: &str, name: &str) -> Path {
    account_path(account).part(region).hidden(name)
}

/// All chains of a trail.
pub(crate) fn chains_path(trail_arn: &str) -> Path {
    Path::new("cloudtrail-chain").hidden(trail_arn)
}

impl ChainRecord {
    /// The account whose records these are.
    pub(crate) fn account<'a>(&'a self, trail: &'a TrailRecord) -> &'a str {
        self.member.as_deref().unwrap_or(&trail.account)
    }

    /// Its place among the chains of its trail.
    pub(crate) fn name(&self) -> String {
        let name = match &self.member {
            Some(member) => format!("{member}.{}", self.region),
            None => self.region.clone(),
        };
        if self.node.is_empty() { name } else { format!("{name}.{}", self.node) }
    }
}

pub(crate) fn chain_path(trail_arn: &str, name: &str) -> Path {
    chains_path(trail_arn).part(name)
}

/// The keys of a Region.
pub(crate) fn keys_path(region: &str) -> Path {
    Path::new("cloudtrail-key").part(region)
}

/// How far the log of a node was delivered; of the only one where `node` is empty.
pub(crate) fn delivery_path(node: &str) -> Path {
    let path = Path::new("cloudtrail-delivery");
    if node.is_empty() { path } else { path.part(node) }
}

/// How far EventBridge was told of the log of a node; of the only one where `node` is empty.
pub(crate) fn announced_path(node: &str) -> Path {
    let path = Path::new("cloudtrail-announced");
    if node.is_empty() { path } else { path.part(node) }
}

impl TrailRecord {
    pub(crate) fn path(&self) -> Path {
        trail_path(&self.account, &self.home_region, &self.name)
    }
}

impl CloudTrail {
    /// The trail that the caller named.
    pub(crate) async fn trail(&self, cx: &Cx, id: &TrailId) -> Result<Loaded<TrailRecord>, Error> {
        let path = trail_path(&id.account, &id.region, &id.name);
        let trail: Option<Loaded<TrailRecord>> = self.database.load(&path).await?;
        let own = organization(cx);
        // Members see their organization's trails.
        let is_seen = |trail: &Loaded<TrailRecord>| {
            let organization = trail.value.organization.as_deref();
            id.account == cx.account().as_str() || (organization.is_some() && organization == own)
        };
        trail.filter(is_seen).ok_or_else(|| id.unknown(cx))
    }

    /// As [`Self::trail`], to be changed: that is done in its home Region.
    pub(crate) async fn home_trail(
        &self,
        cx: &Cx,
        id: &TrailId,
    ) -> Result<Loaded<TrailRecord>, Error> {
        let trail = self.trail(cx, id).await?;
        if trail.value.account != cx.account().as_str() {
            return Err(organization::not_management());
        }
        if trail.value.home_region != cx.region.as_str() {
            return Err(Error::InvalidHomeRegionException(format!(
                "The trail {} is changed in its home Region, {}.",
                id.arn, trail.value.home_region
            )));
        }
        trail.value.note(cx);
        Ok(trail)
    }

    /// The trails of the caller's account and those of its organization, in all Regions.
    pub(crate) async fn trails_seen(&self, cx: &Cx) -> Result<Vec<TrailRecord>, Fault> {
        let account = cx.account().as_str();
        let Some(own) = organization(cx) else {
            let all = self.database.list_all::<TrailRecord>(&account_path(account)).await?;
            return Ok(all.into_iter().map(|row| row.value).collect());
        };
        let all = self.database.list_all::<TrailRecord>(&trails_path()).await?;
        let all = all.into_iter().map(|row| row.value);
        let is_seen = |trail: &TrailRecord| {
            trail.account == account || trail.organization.as_deref() == Some(own)
        };
        Ok(all.filter(is_seen).collect())
    }

    /// The trails of the caller's account that this Region is home to; with `shadows` also those of
    /// other Regions that log in all, and in a member account those of its organization. Sorted by
    /// name.
    pub(crate) async fn trails_here(
        &self,
        cx: &Cx,
        shadows: bool,
    ) -> Result<Vec<TrailRecord>, Fault> {
        let mut trails = self.trails_seen(cx).await?;
        trails.retain(|trail| {
            let is_home = trail.home_region == cx.region.as_str();
            let is_own = trail.account == cx.account().as_str();
            (is_home && is_own) || (shadows && (is_home || trail.is_multi_region))
        });
        trails.sort_by(|one, other| (&one.name, &one.arn).cmp(&(&other.name, &other.arn)));
        Ok(trails)
    }

    /// Makes sure that a delivery is due, beginning behind the newest record if none was.
    pub(crate) async fn schedule_delivery(
        &self,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let node = self.jobs.ownership().on_this_node();
        let loaded = self.database.load::<DeliveryRecord>(&delivery_path(&node)).await?;
        let mut delivery = loaded.as_ref().map(|row| row.value.clone()).unwrap_or_default();
        if delivery.due_ms.is_some() {
            return Ok(());
        }
        // A node among others may learn of a trail late: what it did before then is the trail's
        // all the same, which knows since when it logs.
        if node.is_empty() {
            let audit = std::sync::Arc::clone(&self.audit);
            let end = blocking(move || audit.end().map_err(Fault::internal)).await?;
            let end = end.unwrap_or_default();
            delivery.done = (end.frame, end.index);
        }
        let job = deliver::job(&node, now.plus_seconds(deliver::INTERVAL_SECONDS));
        delivery.due_ms = Some(job.due_ms);
        match &loaded {
            Some(row) => batch.replace(row, &delivery),
            None => batch.create(delivery_path(&node), &delivery),
        }
        batch.schedule(&job);
        Ok(())
    }

    /// Delivers the log of this node as well, for ever, when a trail was started on another one. The
    /// node that `served_alone` before goes on where its log was delivered up to then.
    pub async fn follow_trails(&self, served_alone: bool) {
        loop {
            if let Err(fault) = self.join_delivery(served_alone).await {
                tracing::warn!(error = ?fault, "trails cannot be looked for; trying again");
            }
            tokio::time::sleep(FOLLOW_EVERY).await;
        }
    }

    async fn join_delivery(&self, served_alone: bool) -> Result<(), Fault> {
        let trails = self.database.list_all::<TrailRecord>(&trails_path()).await?;
        if !trails.iter().any(|trail| trail.value.is_logging()) {
            return Ok(());
        }
        let mut batch = Batch::new();
        let (before, own) =
            (delivery_path(""), delivery_path(&self.jobs.ownership().on_this_node()));
        let before = self.database.load::<DeliveryRecord>(&before).await?.filter(|_| served_alone);
        if let Some(before) = before
            && self.database.load::<DeliveryRecord>(&own).await?.is_none()
        {
            let (done, begun) = (before.value.done, before.value.begun);
            batch.create(own, &DeliveryRecord { done, begun, ..DeliveryRecord::default() });
            self.database.commit(std::mem::take(&mut batch)).await?;
        }
        self.schedule_delivery(self.env.now(), &mut batch).await?;
        match self.database.commit(batch).await {
            Ok(()) | Err(Fault::Conflict) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Makes the runner see a job that was scheduled.
    pub(crate) fn wake(&self) {
        self.jobs.wake();
    }
}

impl AnnouncedRecord {
    /// The last record that was dealt with.
    pub(crate) fn position(&self) -> AuditPosition {
        AuditPosition { frame: self.done.0, index: self.done.1 }
    }
}

impl DeliveryRecord {
    /// The last record that was dealt with.
    pub(crate) fn position(&self) -> AuditPosition {
        AuditPosition { frame: self.done.0, index: self.done.1 }
    }

    /// Notes when the next job is due, and answers the job.
    pub(crate) fn next(&mut self, node: &str, due: Timestamp) -> Job {
        let job = deliver::job(node, due);
        self.due_ms = Some(job.due_ms);
        job
    }
}
