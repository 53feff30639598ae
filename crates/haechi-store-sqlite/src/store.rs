//! The store itself: opens the parts and connects them.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use async_trait::async_trait;
use haechi_store::{
    Cond, Key, Kv, Lease, LeaseId, Op, Options, Page, Progress, Range, Rev, Store, StoreError,
    TxnError, Watch, archive::Summary, check, limits,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Settings, fault, lock, maintain,
    read::{Readers, ReadersHistory},
    schema,
    write::{Group, millis},
    writer::{Change, Command, Shared, Writer},
};

/// Most commands that wait for the writer; callers beyond it wait for a place.
const QUEUE_MAX: usize = 1024;

/// The embedded store. Share it in an `Arc`. Needs a tokio runtime for its reads.
///
/// Dropping it closes it, and waits for the writer to finish.
pub struct SqliteStore {
    path: PathBuf,
    options: Options,
    commands: Option<mpsc::Sender<Command>>,
    readers: Arc<Readers>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens the store in `dir`, or creates it (directory 0700, files 0600). Blocks briefly.
    ///
    /// # Errors
    /// `InUse` if another process has it; `Corrupt` or `Newer` if the file is not a store that
    /// this program can read (the file is left as it is); `DiskFull`, `Io`, `Engine`.
    pub fn open(dir: impl AsRef<Path>, settings: impl Into<Settings>) -> Result<Self, StoreError> {
        let (dir, settings) = (dir.as_ref(), settings.into());
        schema::make_directory(dir)?;
        let lock = lock::acquire(dir)?;
        schema::create_if_absent(dir)?;
        let path = schema::database(dir);
        let (connection, state) = schema::open_writer(&path, settings.bytes_max)?;
        let deadline = Group { connection: &connection, path: &path, state }
            .next_deadline()
            .map_err(|error| fault::sqlite(&path, &error))?;
        let shared = Arc::new(Shared {
            progress: watch::Sender::new(Progress { rev: state.rev, closed: false }),
            next_deadline_ms: AtomicI64::new(deadline),
        });
        let (commands, queue) = mpsc::channel(QUEUE_MAX);
        let options = settings.options;
        let writer = Writer {
            connection,
            path: path.clone(),
            state,
            options: options.clone(),
            shared: shared.clone(),
            queue,
            lock,
            stopped: None,
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| fault::io(&path, source))?;
        let readers = Arc::new(Readers::new(path.clone(), settings.readers));
        let (commands, thread) = (Some(commands), Mutex::new(Some(thread)));
        Ok(Self { path, options, commands, readers, shared, thread })
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks every page, index and row of the database. Takes time in proportion to its size;
    /// others go on reading and writing.
    ///
    /// # Errors
    /// `Corrupt` names the first damage found; or reading fails.
    pub async fn verify(&self) -> Result<(), StoreError> {
        self.readers.run(|snapshot| maintain::verify(snapshot.connection, snapshot.path)).await
    }

    /// Writes a copy of the store, as it stands at one revision, to the new file `target` (0600),
    /// checks it, syncs it and gives it its name. Others go on reading and writing.
    /// [`SqliteStore::restore`] makes a store of it.
    ///
    /// # Errors
    /// `Io` if `target` exists or cannot be written; `DiskFull`; `Corrupt` if the store or the
    /// copy is damaged. There is no file `target` then.
    pub async fn backup_to(&self, target: impl AsRef<Path>) -> Result<(), StoreError> {
        let target = target.as_ref().to_owned();
        self.readers.run(move |snapshot| maintain::backup(snapshot, &target)).await
    }

    /// Makes a store in `dir` of a file that [`SqliteStore::backup_to`] wrote. Blocks.
    ///
    /// # Errors
    /// `Io` if `dir` already holds a store; `Corrupt` if the backup is damaged; `InUse`;
    /// `DiskFull`. `dir` holds no store then.
    pub fn restore(backup: impl AsRef<Path>, dir: impl AsRef<Path>) -> Result<(), StoreError> {
        maintain::restore(backup.as_ref(), dir.as_ref())
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or(StoreError::Closed)?;
        commands.send(command(reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)
    }

    async fn change(&self, change: Change) -> Result<Rev, TxnError> {
        self.ask(|reply| Command::Change(change, reply)).await?
    }

    async fn change_lease(&self, change: Change) -> Result<Rev, StoreError> {
        self.change(change).await.map_err(|error| match error {
            TxnError::Store(error) => error,
            // INVARIANT: only a transaction has preconditions.
            TxnError::Conflict(conflict) => {
                StoreError::Engine { path: self.path.clone(), detail: conflict.to_string() }
            }
        })
    }

    /// Has outlived leases ended before anything is read.
    async fn expire_due(&self) -> Result<(), StoreError> {
        let due = self.shared.next_deadline_ms.load(Ordering::SeqCst);
        if due <= millis(self.options.clock.now()) {
            self.change_lease(Change::Expire).await?;
        }
        Ok(())
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The writer ends when the last sender is gone.
        self.commands = None;
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            // A panic of the writer has been reported by its thread.
            drop(thread.join());
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        if keys.len() > limits::GET_KEYS_MAX {
            return Err(StoreError::TooManyKeys { count: keys.len() });
        }
        self.expire_due().await?;
        let keys = keys.to_vec();
        self.readers.run(move |snapshot| snapshot.rows(&keys, at)).await
    }

    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError> {
        self.expire_due().await?;
        let limit = limits::page_rows(limit);
        self.readers.run(move |snapshot| snapshot.page(&range, limit, at)).await
    }

    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        check(when, &then)?;
        self.change(Change::Txn { when: when.to_vec(), then }).await
    }

    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        let history = Arc::new(ReadersHistory(self.readers.clone()));
        haechi_store::watch(history, self.shared.progress.subscribe(), prefix, from)
    }

    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        if ttl < Duration::from_millis(1) {
            return Err(StoreError::LeaseTtl);
        }
        let rev = self.change_lease(Change::Lease { ttl }).await?;
        Ok(Lease { id: LeaseId(rev), ttl })
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.change_lease(Change::KeepAlive { lease }).await.map(drop)
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.change_lease(Change::Revoke { lease }).await.map(drop)
    }

    async fn expire(&self) -> Result<(), StoreError> {
        self.expire_due().await
    }

    async fn export(&self, writer: Box<dyn Write + Send>) -> Result<Summary, StoreError> {
        self.expire_due().await?;
        self.readers.run(move |snapshot| maintain::export(snapshot, writer)).await
    }

    async fn import(&self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError> {
        self.ask(|reply| Command::Import(reader, reply)).await?
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        match self.ask(Command::Close).await {
            // Closed before.
            Err(StoreError::Closed) => Ok(()),
            answer => answer?,
        }
    }
}
