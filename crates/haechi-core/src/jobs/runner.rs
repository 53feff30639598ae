//! The runner: looks for what is due, begins it, commits what comes of it.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use haechi_wire::{Fault, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::plan::{Due, Plan, WAITING_MAX};
use super::{Job, JobHandler, KIND_MAX, RUNNING_MAX, Unreadable};
use crate::{Batch, Claim, Database, Env, Loaded, Ownership, Path};

/// How long a failed job waits before it is tried again.
const RETRY_AFTER_SECONDS: i64 = 30;

/// The same of a job whose payload cannot be read: another version may read it.
const UNREADABLE_RETRY_AFTER_SECONDS: i64 = 6 * 3600;

/// How long a job rests whose row cannot be read or put off: the store is not to be asked in a
/// tight loop.
const REST: Duration = Duration::from_secs(1);

/// How long the runner sleeps at the most: a bound on the harm of a clock that was set forward.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// How often everything is looked at.
const EVERYTHING: Duration = SLEEP_MAX;

/// How long the runner rests between two looks at the store.
const PAUSE: Duration = Duration::from_millis(2);

/// Rows that one look takes at a time; their payloads come with them.
const ROWS_PER_PAGE: u32 = 200;

/// How often a job is decided anew in a row, when something that it relies on has changed.
const CONFLICTS_MAX: usize = 8;

/// The runner. Its jobs are tasks of their own, and go on when whoever waits for them is gone.
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    database: Arc<Database>,
    env: Env,
    handlers: RwLock<HashMap<&'static str, Arc<dyn JobHandler>>>,
    /// Kinds of which one is always due.
    endless: RwLock<HashSet<&'static str>>,
    plan: Mutex<Plan>,
    /// Held while the store is looked at: the clock of `--dev` and the runner's own loop may both.
    looking: tokio::sync::Mutex<Seen>,
    /// Whether the store may have jobs that the plan lacks.
    stale: AtomicBool,
    /// Moves when something is to be looked at, or a job has ended.
    changed: watch::Sender<u64>,
    /// The last failure of the store under a job.
    failure: Mutex<Option<Fault>>,
    /// Which jobs are this node's.
    ownership: OnceLock<Ownership>,
}

/// What the last look saw. What is left of jobs that are done lies before the first that is not, as
/// long as history is kept, and is not to be read again and again.
#[derive(Default)]
struct Seen {
    /// When the first job fell or falls due; the last time that there is where there was none.
    earliest_ms: i64,
    /// When everything was looked at last, if the look came to its end.
    everything: Option<Instant>,
}

impl Jobs {
    /// A runner without handlers.
    pub fn new(database: Arc<Database>, env: Env) -> Self {
        Jobs {
            inner: Arc::new(Inner {
                database,
                env,
                handlers: RwLock::default(),
                endless: RwLock::default(),
                plan: Mutex::default(),
                looking: tokio::sync::Mutex::default(),
                stale: AtomicBool::new(true),
                changed: watch::Sender::new(0),
                failure: Mutex::default(),
                ownership: OnceLock::new(),
            }),
        }
    }

    /// Names who runs jobs of a kind.
    pub fn handle(&self, kind: &'static str, handler: Arc<dyn JobHandler>) {
        let mut handlers = self.inner.handlers.write().unwrap_or_else(PoisonError::into_inner);
        handlers.insert(kind, handler);
    }

    /// As [`Jobs::handle`], of a kind whose jobs call for their like at once, time and again:
    /// nobody waits until none is due.
    pub fn handle_endless(&self, kind: &'static str, handler: Arc<dyn JobHandler>) {
        let mut endless = self.inner.endless.write().unwrap_or_else(PoisonError::into_inner);
        endless.insert(kind);
        self.handle(kind, handler);
    }

    /// Runs only what is this node's from now on; to be said before anything runs.
    ///
    /// # Errors
    /// If something has run, or asked whose it is.
    pub fn share(&self, ownership: Ownership) -> Result<(), Fault> {
        let set = self.inner.ownership.set(ownership);
        set.map_err(|_| Fault::internal("jobs were run before it was known whose they are"))
    }

    /// Who does which duty: also those that are no jobs.
    pub fn ownership(&self) -> &Ownership {
        self.inner.ownership()
    }

    /// Makes the runner look again: a job was added, or the clock was moved.
    pub fn wake(&self) {
        self.inner.look_again();
    }

    /// Runs all that has fallen due, and what that brings about, until nothing is due and nothing
    /// runs. What is endless is not waited for.
    ///
    /// # Errors
    /// If the store fails. A job that fails is put off and does not stop the others.
    pub async fn run_due(&self) -> Result<(), Fault> {
        let inner = &self.inner;
        let mut changed = inner.changed.subscribe();
        loop {
            changed.borrow_and_update();
            let (idle, is_short) = (inner.idle(), inner.plan().is_short());
            if idle.is_some() || is_short {
                inner.look().await?;
            }
            // Nothing was left when the look began, none has run since, and there is nothing new.
            if idle.is_some() && inner.idle() == idle {
                return Ok(());
            }
            inner.begin();
            if let Some(fault) = inner.failure().take() {
                return Err(fault);
            }
            let _ = changed.changed().await;
        }
    }

    /// Waits until nothing runs any more, but no longer than `most`; answers whether nothing does.
    /// To be asked once nobody begins anything: what is left then is done after the next start.
    pub async fn settle(&self, most: Duration) -> bool {
        let mut changed = self.inner.changed.subscribe();
        let settled = async {
            while self.inner.plan().runs() {
                let _ = changed.changed().await;
            }
        };
        tokio::time::timeout(most, settled).await.is_ok()
    }

    /// Runs jobs as they fall due, for ever.
    pub async fn run_forever(&self) {
        let inner = &self.inner;
        let mut changed = inner.changed.subscribe();
        let mut scheduled = inner.database.scheduled();
        let mut moves = inner.ownership().moves();
        let mut next = Instant::now();
        loop {
            // In this order, so that a simulation repeats itself; what comes last is done in any case.
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(next) => inner.stale.store(true, Ordering::Release),
                _ = moves.changed() => inner.stale.store(true, Ordering::Release),
                _ = scheduled.changed() => inner.stale.store(true, Ordering::Release),
                _ = changed.changed() => {}
            }
            if inner.stale.swap(false, Ordering::AcqRel) || inner.plan().is_short() {
                let wait = match inner.look().await {
                    Ok(due) => inner.until(due),
                    Err(fault) => {
                        tracing::error!(error = ?fault, "jobs cannot be looked for; trying again");
                        REST
                    }
                };
                next = Instant::now() + wait.max(PAUSE);
                inner.begin();
                tokio::time::sleep(PAUSE).await;
            } else {
                inner.begin();
            }
            // Kept for `run_due`; the log has it.
            inner.failure().take();
        }
    }
}

impl Inner {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> MutexGuard<'_, Option<Fault>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Plan::idle`] of all kinds but those that are endless.
    fn idle(&self) -> Option<u64> {
        let endless = self.endless.read().unwrap_or_else(PoisonError::into_inner);
        self.plan().idle(|kind| !endless.contains(kind))
    }

    fn ownership(&self) -> &Ownership {
        self.ownership.get_or_init(Ownership::default)
    }

    fn look_again(&self) {
        self.stale.store(true, Ordering::Release);
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn handler(&self, kind: &str) -> Option<Arc<dyn JobHandler>> {
        let handlers = self.handlers.read().unwrap_or_else(PoisonError::into_inner);
        handlers.get(kind).map(Arc::clone)
    }

    /// Takes note of all that is due; answers when the next job falls due.
    async fn look(&self) -> Result<Option<i64>, Fault> {
        let mut seen = self.looking.lock().await;
        let (mut everything, scheduled_ms) =
            (seen.everything.take(), self.database.take_earliest_job());
        let mut from = Some(Due::before(seen.earliest_ms.min(scheduled_ms)));
        // Jobs of other processes, and of commits that nobody waited for, are only found so.
        if !self.database.is_alone() || everything.is_none_or(|at| at.elapsed() >= EVERYTHING) {
            (everything, from) = (Some(Instant::now()), None);
        }
        let mut earliest_ms = i64::MAX;
        let (jobs, now_ms) = (Path::new("jobs"), self.env.now().millis());
        let (mut found, mut counts) = (Vec::new(), HashMap::new());
        let next = 'pages: loop {
            let (keys, more) = self.database.names(&jobs, from.as_ref(), ROWS_PER_PAGE).await?;
            for due in keys.iter().filter_map(Due::parse) {
                earliest_ms = earliest_ms.min(due.due_ms);
                if due.due_ms > now_ms {
                    break 'pages Some(due.due_ms);
                }
                if !self.ownership().is_owned(&due.kind, &due.id) {
                    continue;
                }
                let count: &mut usize = counts.entry(due.kind.clone()).or_default();
                *count += 1;
                if *count <= WAITING_MAX + RUNNING_MAX + 1 {
                    found.push(due);
                }
            }
            from = keys.into_iter().next_back().filter(|_| more);
            if from.is_none() {
                break None;
            }
        };
        let mut plan = self.plan();
        plan.clear();
        found.into_iter().for_each(|due| plan.add(due));
        *seen = Seen { earliest_ms, everything };
        Ok(next)
    }

    fn until(&self, next: Option<i64>) -> Duration {
        let Some(due_ms) = next else { return SLEEP_MAX };
        let wait = due_ms.saturating_sub(self.env.now().millis());
        Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(SLEEP_MAX)
    }

    /// Begins what may begin.
    fn begin(self: &Arc<Self>) {
        loop {
            let of_kind =
                |kind: &str| self.handler(kind).map_or(KIND_MAX, |handler| handler.at_a_time());
            let Some(due) = self.plan().begin(RUNNING_MAX, of_kind) else { return };
            let Some(claim) = self.ownership().claim(&due.kind, &due.id) else {
                self.plan().end(due, false);
                continue;
            };
            let inner = Arc::clone(self);
            tokio::spawn(async move {
                let again = match claim.hold(inner.run(&due, &claim)).await {
                    Ok(done) => !done,
                    Err(fault) => {
                        let (kind, id) = (&due.kind, &due.id);
                        tracing::error!(kind, id, error = ?fault, "a job cannot be run or put off");
                        *inner.failure() = Some(fault);
                        inner.changed.send_modify(|count| *count = count.wrapping_add(1));
                        tokio::time::sleep(REST).await;
                        true
                    }
                };
                inner.plan().end(due, again);
                drop(claim);
                inner.changed.send_modify(|count| *count = count.wrapping_add(1));
            });
        }
    }

    /// Runs a job; answers whether it has ended, was put off, or is another node's by now.
    async fn run(&self, due: &Due, claim: &Claim) -> Result<bool, Fault> {
        for _ in 0..CONFLICTS_MAX {
            if !claim.stands() {
                return Ok(true);
            }
            let Some(job) = self.database.load_key::<Job>(due.key.clone()).await? else {
                return Ok(true);
            };
            let now = self.env.now();
            let outcome = match self.decide(&job, now).await {
                Ok(mut batch) => {
                    batch.remove(&job);
                    self.database.commit(batch).await
                }
                Err(fault) => Err(fault),
            };
            match outcome {
                Ok(()) => return Ok(true),
                // Decided on what has changed since: decide again.
                Err(Fault::Conflict) => tokio::task::yield_now().await,
                Err(fault) => return self.put_off(&job, &fault, now).await,
            }
        }
        Ok(false)
    }

    async fn decide(&self, job: &Loaded<Job>, now: Timestamp) -> Result<Batch, Fault> {
        let kind = &job.value.kind;
        let Some(handler) = self.handler(kind) else {
            return Err(Fault::internal(format!("no handler for jobs of kind {kind}")));
        };
        let run = AssertUnwindSafe(handler.run(&job.value, now));
        run.catch_unwind().await.unwrap_or_else(|_| Err(Fault::internal("a job has panicked")))
    }

    async fn put_off(
        &self,
        job: &Loaded<Job>,
        fault: &Fault,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let (kind, id) = (&job.value.kind, &job.value.id);
        let seconds = match fault {
            Fault::Internal(error) if error.is::<Unreadable>() => UNREADABLE_RETRY_AFTER_SECONDS,
            _ => RETRY_AFTER_SECONDS,
        };
        tracing::error!(kind, id, seconds, error = ?fault, "a job failed; it will be tried again");
        let mut batch = Batch::new();
        batch.remove(job);
        let later = now.plus_seconds(seconds);
        batch.schedule(&Job { due_ms: later.millis(), ..job.value.clone() });
        match self.database.commit(batch).await {
            Ok(()) => Ok(true),
            Err(Fault::Conflict) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}
