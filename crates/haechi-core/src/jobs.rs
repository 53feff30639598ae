//! Duties that fall due: durable, run once at a time, caught up with after downtime.
//!
//! A job is a row, `/jobs/<when>/<kind>/<id>`, written in the same batch as the change that calls
//! for it. Running it yields another batch, and the row goes in the same transaction as that
//! batch: so its effect happens exactly once, however often it was begun.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify};

use crate::database::Unknown;
use crate::{Batch, Database, Env, Loaded, Path, Record};

/// How long a failed job waits before it is tried again.
const RETRY_AFTER_SECONDS: i64 = 30;

/// How long the runner sleeps at the most: a bound on the harm of a clock that was set forward.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// A duty, due at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// When it falls due; milliseconds since the epoch.
    pub due_ms: i64,
    /// Which handler runs it.
    pub kind: String,
    /// What it is about: made of ids that the server chose, as it can be read on disk.
    pub id: String,
    /// The handler's own data.
    pub payload: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Record for Job {}

impl Job {
    /// A duty of `kind` about `id`.
    pub fn new(kind: &str, id: &str, due: Timestamp, payload: String) -> Job {
        Job {
            due_ms: due.millis(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            payload,
            unknown: Unknown::new(),
        }
    }

    fn path(&self) -> Path {
        let due = u64::try_from(self.due_ms).unwrap_or(0);
        Path::new("jobs").part(&format!("{due:016x}")).part(&self.kind).part(&self.id)
    }
}

impl Batch {
    /// Adds a job.
    pub fn schedule(&mut self, job: &Job) {
        self.put(job.path(), job);
    }

    /// Takes a job back; what named it need not know whether it still waits.
    pub fn cancel(&mut self, job: &Job) {
        self.delete(job.path());
    }
}

/// Runs the jobs of one kind.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// What is to be changed; committed together with the end of the job. A job whose cause is
    /// gone answers an empty batch.
    ///
    /// # Errors
    /// Any fault; the job is then tried again later.
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault>;
}

/// The runner.
pub struct Jobs {
    database: Arc<Database>,
    env: Env,
    handlers: RwLock<HashMap<&'static str, Arc<dyn JobHandler>>>,
    wake: Notify,
    /// One at a time: the clock of `--dev` and the runner's own loop must not both run a job.
    running: Mutex<()>,
}

impl Jobs {
    /// A runner without handlers.
    pub fn new(database: Arc<Database>, env: Env) -> Self {
        let (handlers, wake) = (RwLock::default(), Notify::new());
        Jobs { database, env, handlers, wake, running: Mutex::new(()) }
    }

    /// Names who runs jobs of a kind.
    pub fn handle(&self, kind: &'static str, handler: Arc<dyn JobHandler>) {
        let mut handlers = self.handlers.write().unwrap_or_else(PoisonError::into_inner);
        handlers.insert(kind, handler);
    }

    /// Makes the runner look again: a job was added, or the clock was moved.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Runs all that has fallen due, until nothing is due.
    ///
    /// # Errors
    /// If the store fails. A job that fails is put off and does not stop the others.
    pub async fn run_due(&self) -> Result<(), Fault> {
        let _running = self.running.lock().await;
        loop {
            let page = self.database.list::<Job>(&Path::new("jobs"), None, 1).await?;
            let Some(job) = page.items.into_iter().next() else { return Ok(()) };
            let now = self.env.now();
            if job.value.due_ms > now.millis() {
                return Ok(());
            }
            self.run(&job, now).await?;
        }
    }

    async fn run(&self, job: &Loaded<Job>, now: Timestamp) -> Result<(), Fault> {
        let handler = {
            let handlers = self.handlers.read().unwrap_or_else(PoisonError::into_inner);
            handlers.get(job.value.kind.as_str()).map(Arc::clone)
        };
        let outcome = match handler {
            Some(handler) => handler.run(&job.value, now).await,
            None => Err(Fault::internal(format!("no handler for jobs of kind {}", job.value.kind))),
        };
        let outcome = match outcome {
            Ok(mut batch) => {
                batch.remove(job);
                self.database.commit(batch).await
            }
            Err(fault) => Err(fault),
        };
        match outcome {
            Ok(()) => Ok(()),
            // Decided on what has changed since: decide again.
            Err(Fault::Conflict) => Ok(()),
            Err(fault) => {
                let (kind, id) = (&job.value.kind, &job.value.id);
                tracing::error!(kind, id, error = ?fault, "a job failed; it will be tried again");
                let mut batch = Batch::new();
                batch.remove(job);
                let later = now.plus_seconds(RETRY_AFTER_SECONDS);
                batch.schedule(&Job { due_ms: later.millis(), ..job.value.clone() });
                self.database.commit(batch).await
            }
        }
    }

    /// Runs jobs as they fall due, for ever.
    pub async fn run_forever(&self) {
        loop {
            if let Err(fault) = self.run_due().await {
                tracing::error!(error = ?fault, "jobs cannot be run; trying again");
            }
            let sleep = self.until_next().await.unwrap_or(SLEEP_MAX).min(SLEEP_MAX);
            // Waking early is harmless; a store that fails must not be asked in a tight loop.
            let _ =
                tokio::time::timeout(sleep.max(Duration::from_millis(100)), self.wake.notified())
                    .await;
        }
    }

    async fn until_next(&self) -> Option<Duration> {
        let page = self.database.list::<Job>(&Path::new("jobs"), None, 1).await.ok()?;
        let due = page.items.first()?.value.due_ms;
        let wait = due.saturating_sub(self.env.now().millis());
        Some(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
    }
}
