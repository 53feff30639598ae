//! The job that delivers: from the audit log to the files of trails.
//!
//! One job serves all trails, so that the log is read once however many there are:
//!
//! ```text
//! note what is about to be delivered ─► write files ─► commit how far it came, and the next job
//! ```
//! Cut off in between, it is done again from the note: the same records under the same names, so
//! that nothing is missing and nothing is there twice.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{
    AuditPosition, AuditReader, Batch, Database, Env, Guardrails, Job, JobHandler, Loaded, Path,
};
use haechi_wire::{Fault, Timestamp};

use crate::delivery::{Delivery, DeliveryError, Object};
use crate::digest::{INTERVAL_MS, Signed};
use crate::event::Event;
use crate::signing_key::SigningKey;
use crate::store::{
    ChainRecord, DeliveryRecord, LogFile, chain_path, chains_path, delivery_path, trails_path,
};
use crate::trail::TrailRecord;
use crate::{Memberships, blocking, hex, log_file, sha256};

/// The kind of the job.
pub(crate) const DELIVER: &str = "cloudtrail-deliver";
/// How often trails deliver.
pub(crate) const INTERVAL_SECONDS: i64 = 300;
/// What one delivery takes from the log at most; it bounds memory. More follows at once.
const RECORDS_MAX: usize = 20_000;
const BYTES_MAX: usize = 32 << 20;

/// A delivery of a node's log that is due; of the only one where `node` is empty.
pub(crate) fn job(node: &str, due: Timestamp) -> Job {
    Job::new(DELIVER, &format!("{node}{TRAILS}"), due, String::new())
}

const TRAILS: &str = "trails";

/// Delivers.
pub(crate) struct Deliver {
    pub(crate) database: Arc<Database>,
    pub(crate) env: Env,
    pub(crate) audit: Arc<dyn AuditReader>,
    pub(crate) delivery: Arc<dyn Delivery>,
    pub(crate) memberships: Memberships,
}

/// An account and a Region.
type Place = (String, String);

/// A record and where it stands.
type Read = (AuditPosition, Vec<u8>);

/// Records read from the log.
#[derive(Default)]
struct Harvest {
    records: Vec<Read>,
    /// Whether there are more.
    more: bool,
}

/// A trail and its chains while they are worked on.
struct Work {
    /// Whose log it is.
    node: String,
    trail: Loaded<TrailRecord>,
    chains: BTreeMap<String, (Option<Loaded<ChainRecord>>, ChainRecord)>,
}

/// A log file to be written.
struct Parcel {
    work: usize,
    place: Place,
    file: LogFile,
    content: Vec<u8>,
}

#[async_trait]
impl JobHandler for Deliver {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let node = job.id.strip_suffix(TRAILS).unwrap_or_default();
        let path = delivery_path(node);
        let Some(loaded) = self.database.load::<DeliveryRecord>(&path).await? else {
            return Ok(Batch::new());
        };
        if node.is_empty() != self.database.is_alone() {
            // The records have moved to where several nodes share them, or back.
            let mut batch = Batch::new();
            batch.replace(&loaded, &DeliveryRecord { due_ms: None, ..loaded.value.clone() });
            return Ok(batch);
        }
        let harvest = self.harvest(&loaded.value).await?;
        let (loaded, time) = self.note(&path, loaded, &harvest, now).await?;
        let mut works = self.works(node).await?;
        let more = harvest.more;
        let last = harvest.records.last().map(|(position, _)| *position);
        for work in &mut works {
            // First: what is delivered now belongs to the digest of the time that begins.
            self.digests(work, now).await?;
        }
        self.deliver(&mut works, harvest, time).await?;
        let mut batch = Batch::new();
        for work in &works {
            work.save(&mut batch);
        }
        let mut delivery = loaded.value.clone();
        if let Some(last) = last {
            delivery.done = (last.frame, last.index);
        }
        delivery.begun = None;
        delivery.due_ms = None;
        if works.iter().any(Work::goes_on) {
            let wait = if more { 0 } else { INTERVAL_SECONDS };
            batch.schedule(&delivery.next(node, self.env.now().plus_seconds(wait)));
        }
        batch.replace(&loaded, &delivery);
        Ok(batch)
    }
}

impl Deliver {
    /// Reads what is to be delivered.
    async fn harvest(&self, delivery: &DeliveryRecord) -> Result<Harvest, Fault> {
        let (audit, done, begun) = (Arc::clone(&self.audit), delivery.position(), delivery.begun);
        blocking(move || {
            let mut harvest = Harvest::default();
            let mut bytes = 0;
            let end = begun.map(|(frame, index, _)| AuditPosition { frame, index });
            audit
                .oldest_first(Some(done), &mut |position, record| {
                    // Unless the log ends after this record.
                    harvest.more = true;
                    if end.is_some_and(|end| position > end) {
                        return ControlFlow::Break(());
                    }
                    bytes += record.len();
                    harvest.records.push((position, record.to_vec()));
                    let full = harvest.records.len() >= RECORDS_MAX || bytes >= BYTES_MAX;
                    if full || end == Some(position) {
                        return ControlFlow::Break(());
                    }
                    harvest.more = false;
                    ControlFlow::Continue(())
                })
                .map_err(Fault::internal)?;
            Ok(harvest)
        })
        .await
    }

    /// Notes which records are about to be delivered, and answers when that began.
    async fn note(
        &self,
        path: &Path,
        loaded: Loaded<DeliveryRecord>,
        harvest: &Harvest,
        now: Timestamp,
    ) -> Result<(Loaded<DeliveryRecord>, Timestamp), Fault> {
        if let Some((.., began_ms)) = loaded.value.begun {
            return Ok((loaded, Timestamp::from_millis(began_ms)));
        }
        let Some((last, _)) = harvest.records.last() else { return Ok((loaded, now)) };
        let mut delivery = loaded.value.clone();
        delivery.begun = Some((last.frame, last.index, now.millis()));
        let mut batch = Batch::new();
        batch.replace(&loaded, &delivery);
        self.database.commit(batch).await?;
        let again = self.database.load(path).await?.ok_or(Fault::Conflict)?;
        Ok((again, now))
    }

    async fn works(&self, node: &str) -> Result<Vec<Work>, Fault> {
        let mut works = Vec::new();
        for trail in self.database.list_all::<TrailRecord>(&trails_path()).await? {
            let rows =
                self.database.list_all::<ChainRecord>(&chains_path(&trail.value.arn)).await?;
            let chains = rows
                .into_iter()
                // Each node goes on with its own.
                .filter(|row| row.value.node == node)
                .map(|row| (row.value.name(), (Some(row.clone()), row.value)))
                .collect();
            let mut work = Work { node: node.to_owned(), trail, chains };
            if work.trail.value.is_logging() {
                // Also where nothing was delivered, digests tell so.
                let trail = &work.trail.value;
                let home = (trail.account.clone(), trail.home_region.clone());
                work.chain(&home);
            }
            works.push(work);
        }
        Ok(works)
    }

    /// Writes the log files of all trails.
    async fn deliver(
        &self,
        works: &mut [Work],
        harvest: Harvest,
        time: Timestamp,
    ) -> Result<(), Fault> {
        let trails: Vec<TrailRecord> = works.iter().map(|work| work.trail.value.clone()).collect();
        let delivery = Arc::clone(&self.delivery);
        let members = match self.memberships.get() {
            Some(source) => source.guardrails().await?,
            None => Arc::default(),
        };
        let parcels = blocking(move || {
            let mut parcels = sort(&trails, &members, &harvest, time);
            let mut outcomes = Vec::with_capacity(parcels.len());
            for parcel in &mut parcels {
                let content = std::mem::take(&mut parcel.content);
                let content = log_file::gzip(&content).map_err(Fault::internal)?;
                let (bucket, key) = (&parcel.file.bucket, &parcel.file.key);
                let object = Object { bucket, key, content: &content, metadata: &[] };
                outcomes.push(settled(delivery.put(&object))?);
            }
            Ok(parcels.into_iter().zip(outcomes).collect::<Vec<_>>())
        })
        .await?;
        for (parcel, refusal) in parcels {
            let Some(work) = works.get_mut(parcel.work) else { continue };
            let has_validation = work.trail.value.has_validation;
            let chain = work.chain(&parcel.place);
            chain.latest_delivery_error = refusal.map(str::to_owned);
            if refusal.is_none() {
                chain.latest_delivery_ms = Some(time.millis());
                if has_validation {
                    chain.pending.push(parcel.file);
                }
            }
        }
        Ok(())
    }

    /// Writes the digests of a trail that are due.
    async fn digests(&self, work: &mut Work, now: Timestamp) -> Result<(), Fault> {
        let trail = &work.trail.value;
        for (_, chain) in work.chains.values_mut() {
            if !trail.has_validation {
                (chain.digest_from_ms, chain.pending) = (None, Vec::new());
                continue;
            }
            if !trail.is_logging() && chain.pending.is_empty() {
                chain.digest_from_ms = None;
                continue;
            }
            let started = trail.spans.last().map_or(now.millis(), |span| span.from_ms);
            let started = started.max(chain.latest_digest_ms.unwrap_or_default());
            let from_ms = *chain.digest_from_ms.get_or_insert(started);
            let intervals = now.millis().saturating_sub(from_ms).div_euclid(INTERVAL_MS);
            if intervals < 1 {
                continue;
            }
            let end = Timestamp::from_millis(from_ms + intervals * INTERVAL_MS);
            let key = SigningKey::of(&self.database, &chain.region, now).await?;
            let signed = Signed::new(trail, chain, Timestamp::from_millis(from_ms), end, &key)?;
            let delivery = Arc::clone(&self.delivery);
            let (signed, refusal) = blocking(move || {
                let refusal = settled(signed.deliver(|object| delivery.put(object)))?;
                Ok((signed, refusal))
            })
            .await?;
            chain.digest_from_ms = Some(end.millis());
            if refusal.is_none() {
                chain.pending.clear();
                chain.digest = Some(signed.link);
                chain.latest_digest_ms = Some(now.millis());
            }
        }
        Ok(())
    }
}

impl Work {
    fn chain(&mut self, (account, region): &Place) -> &mut ChainRecord {
        let member = (*account != self.trail.value.account).then(|| account.clone());
        let new = ChainRecord {
            region: region.clone(),
            member,
            node: self.node.clone(),
            ..ChainRecord::default()
        };
        &mut self.chains.entry(new.name()).or_insert_with(|| (None, new)).1
    }

    /// Whether something is still to come.
    fn goes_on(&self) -> bool {
        self.trail.value.is_logging()
            || self.chains.values().any(|(_, chain)| !chain.pending.is_empty())
    }

    /// Adds the chains to a batch that holds only if the trail is as it was.
    fn save(&self, batch: &mut Batch) {
        if !self.chains.is_empty() {
            batch.unchanged(&self.trail);
        }
        for (name, (loaded, chain)) in &self.chains {
            match loaded {
                Some(row) => batch.replace(row, chain),
                None => batch.create(chain_path(&self.trail.value.arn, name), chain),
            }
        }
    }
}

/// A refusal's code; what may succeed later is an error, so that the job is tried again.
fn settled(outcome: Result<(), DeliveryError>) -> Result<Option<&'static str>, Fault> {
    match outcome {
        Ok(()) => Ok(None),
        Err(DeliveryError::Refused(code)) => Ok(Some(code)),
        Err(failed) => Err(Fault::Unavailable {
            message: "A trail's files could not be written.",
            source: Box::new(failed),
        }),
    }
}

/// Sorts records into files by trail, account and Region.
fn sort(
    trails: &[TrailRecord],
    members: &Guardrails,
    harvest: &Harvest,
    time: Timestamp,
) -> Vec<Parcel> {
    let mut chosen: BTreeMap<(usize, Place), Vec<(&Read, i64)>> = BTreeMap::new();
    for item in &harvest.records {
        let Some(event) = Event::parse(&item.1) else {
            tracing::error!(position = ?item.0, "a record in the audit log is not a record");
            continue;
        };
        let account = event.recipient_account_id.as_ref();
        let membership = members.membership(account);
        let organization = membership.map(|membership| membership.organization_id.as_str());
        let wants = |trail: &TrailRecord| trail.wants(&event, organization);
        for (index, _) in trails.iter().enumerate().filter(|(_, trail)| wants(trail)) {
            let place = (account.to_owned(), event.aws_region.clone().into_owned());
            chosen.entry((index, place)).or_default().push((item, event.time().millis()));
        }
    }
    let mut parcels = Vec::new();
    for ((work, place), items) in chosen {
        let (account, region) = (place.0.as_str(), place.1.as_str());
        let Some(trail) = trails.get(work) else { continue };
        for part in items.chunks(log_file::RECORDS_MAX) {
            let Some(((first, _), _)) = part.first() else { continue };
            let content = log_file::content(part.iter().map(|((_, record), _)| record.as_slice()));
            let times = || part.iter().map(|(_, ms)| *ms);
            let file = LogFile {
                bucket: trail.bucket.clone(),
                key: log_file::key(trail, (account, region), time, *first),
                hash: hex(&sha256(&content)),
                newest_ms: times().max().unwrap_or_default(),
                oldest_ms: times().min().unwrap_or_default(),
            };
            parcels.push(Parcel { work, place: place.clone(), file, content });
        }
    }
    parcels
}
