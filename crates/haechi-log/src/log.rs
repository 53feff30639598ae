//! The log as its callers see it.

use std::{
    fs::{self, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    slice,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    cipher::FrameCipher,
    error::LogError,
    frame::ChainHead,
    io::{Disk, Io},
    options::Options,
    pace::Pace,
    queue::Queue,
    reader::Position,
    recover::recover,
    segment::LOCK,
    writer::{Shared, Writer},
};

/// An open log. Dropping it writes what still waits and stops the writer thread.
pub struct Log {
    queue: Arc<Queue>,
    places: Semaphore,
    record_bytes: usize,
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    /// Its lock keeps other writers out.
    _lock: fs::File,
}

impl Log {
    /// Opens the log in `directory`, which is made (0700) if it does not exist. A torn tail is cut
    /// off; the joints of all segments and every frame of the last one are checked.
    ///
    /// # Errors
    /// [`LogError::Locked`], [`LogError::Tampered`], [`LogError::MissingSegment`] or
    /// [`LogError::Io`].
    pub fn open(
        directory: &Path,
        cipher: Arc<dyn FrameCipher>,
        options: Options,
    ) -> Result<Self, LogError> {
        Self::open_with(directory, cipher, options, Arc::new(Disk))
    }

    pub(crate) fn open_with(
        directory: &Path,
        cipher: Arc<dyn FrameCipher>,
        options: Options,
        io: Arc<dyn Io>,
    ) -> Result<Self, LogError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| LogError::io("create", directory, source))?;
        let lock = take_lock(directory)?;
        let recovered = recover(directory, &*cipher, &*io)?;
        let shared =
            Arc::new(Shared { healthy: AtomicBool::new(true), head: Mutex::new(recovered.head) });
        let places = Semaphore::new(options.queue_records);
        let queue = Arc::new(Queue::new(options.frame_bytes, Pace::here()));
        let record_bytes = options.record_bytes;
        let writer = Writer::new(directory, cipher, io, options, Arc::clone(&shared), recovered)?;
        let waiting = Arc::clone(&queue);
        let writer = thread::Builder::new()
            .name("haechi-log".into())
            .spawn(move || writer.run(&waiting))
            .map_err(|source| LogError::io("start the writer of", directory, source))?;
        Ok(Self { queue, places, record_bytes, shared, writer: Some(writer), _lock: lock })
    }

    /// Appends a record; when this returns, it is on the disk.
    ///
    /// Waits for a place while the queue is full. Dropping the future does not take the record
    /// back.
    ///
    /// # Errors
    /// Then the record is not in the log: [`LogError::RecordTooLarge`], [`LogError::Io`],
    /// [`LogError::Seal`] or [`LogError::Closed`].
    pub async fn append(&self, record: Vec<u8>) -> Result<Position, LogError> {
        self.check(slice::from_ref(&record))?;
        let _place = self.place().await?;
        let written = self.queue.push(slice::from_ref(&record))?;
        // It is copied: nobody needs to hold it while the disk writes.
        drop(record);
        written.await
    }

    /// As [`Self::append`], of records that belong together: all are in the log, one behind the
    /// other in one frame, or none is. Together they may be as large as one record. Answers where
    /// the last one stands.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub async fn append_together(&self, records: Vec<Vec<u8>>) -> Result<Position, LogError> {
        self.check(&records)?;
        let _place = self.place().await?;
        let written = self.queue.push(&records)?;
        drop(records);
        written.await
    }

    fn check(&self, records: &[Vec<u8>]) -> Result<(), LogError> {
        let (bytes, limit) = (records.iter().map(Vec::len).sum(), self.record_bytes);
        if bytes > limit { Err(LogError::RecordTooLarge { bytes, limit }) } else { Ok(()) }
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, LogError> {
        self.places.acquire().await.map_err(|_| LogError::Closed)
    }

    /// Whether records are small enough together for [`Self::append_together`].
    #[must_use]
    pub fn takes_together(&self, records: &[Vec<u8>]) -> bool {
        records.iter().map(Vec::len).sum::<usize>() <= self.record_bytes
    }

    /// Whether the last write succeeded, or the log has been proven writable since.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.shared.healthy.load(Ordering::Acquire)
            && self.writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }

    /// The end of the hash chain, to be anchored where this machine's administrator cannot write.
    #[must_use]
    pub fn head(&self) -> ChainHead {
        *self.shared.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer has already made the log unhealthy.
            let _ = writer.join();
        }
    }
}

/// How often and in what steps a held lock is tried: half a second in all.
const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

fn take_lock(directory: &Path) -> Result<fs::File, LogError> {
    let path = directory.join(LOCK);
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|source| LogError::io("open", &path, source))?;
    // A process that is just ending, or a child between fork and exec, holds it a moment longer.
    for _ in 0..LOCK_ATTEMPTS {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => return Err(LogError::io("lock", &path, source)),
        }
    }
    Err(LogError::Locked { path: directory.to_owned() })
}

#[cfg(test)]
mod tests;
