//! The writer thread: takes the frame that waits, writes it, syncs once, answers all its records.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    cipher::FrameCipher,
    error::LogError,
    frame::{self, ChainHead},
    io::{Io, SegmentFile},
    options::Options,
    queue::{Next, Queue},
    recover::Recovered,
    segment::{ROOM, Segment},
};

/// Bytes that must find room before a log that failed is well again: some thousand records.
const ROOM_BYTES: usize = 1024 * 1024;

/// What the writer shows to other threads.
pub(crate) struct Shared {
    pub(crate) healthy: AtomicBool,
    pub(crate) head: Mutex<ChainHead>,
}

struct Current {
    segment: Segment,
    file: Box<dyn SegmentFile>,
    /// Bytes that are written and synced.
    length: u64,
}

pub(crate) struct Writer {
    directory: PathBuf,
    cipher: Arc<dyn FrameCipher>,
    io: Arc<dyn Io>,
    options: Options,
    shared: Arc<Shared>,
    head: ChainHead,
    current: Option<Current>,
    /// A segment with an unacknowledged tail to cut off before anything else is written, and the
    /// length to cut it to.
    failed: Option<(Segment, u64)>,
    frame: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(
        directory: &Path,
        cipher: Arc<dyn FrameCipher>,
        io: Arc<dyn Io>,
        options: Options,
        shared: Arc<Shared>,
        recovered: Recovered,
    ) -> Result<Self, LogError> {
        let current = match recovered.last {
            Some((segment, length)) => {
                let path = segment.path(directory);
                let file =
                    io.reopen(&path).map_err(|source| LogError::io("open", &path, source))?;
                Some(Current { segment, file, length })
            }
            None => None,
        };
        let mut writer = Self {
            directory: directory.to_owned(),
            cipher,
            io,
            options,
            shared,
            head: recovered.head,
            current,
            failed: None,
            frame: Vec::new(),
        };
        writer.rotate_if_due()?;
        Ok(writer)
    }

    /// Serves until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue) {
        let _end = AbandonAtEnd(queue);
        loop {
            match queue.next(self.options.retry) {
                Next::Frame(frame) => {
                    let written = self.write(&frame.payload);
                    self.shared.healthy.store(written.is_ok(), Ordering::Release);
                    queue.give_back(frame.answer(written));
                }
                Next::Nothing => {
                    if !self.shared.healthy.load(Ordering::Acquire) && self.repair().is_ok() {
                        self.shared.healthy.store(true, Ordering::Release);
                    }
                }
                Next::Closed => return,
            }
        }
    }

    /// Writes one frame; returns its sequence number once it is on the disk.
    fn write(&mut self, payload: &[u8]) -> Result<u64, LogError> {
        if self.failed.is_some() || !self.shared.healthy.load(Ordering::Acquire) {
            self.repair()?;
        }
        self.rotate_if_due()?;
        let current = self.current.as_mut().ok_or(LogError::Closed)?;
        let aad = frame::aad(self.head.sequence + 1, &self.head.hash, current.segment.start);
        let cipher = &self.cipher;
        let seal = |out: &mut Vec<u8>| cipher.seal(&aad, payload, out).ok();
        let head = frame::encode(&mut self.frame, &self.head, seal).ok_or(LogError::Seal)?;
        let written = current
            .file
            .append(&self.frame)
            .map_err(|source| ("write", source))
            .and_then(|()| current.file.sync().map_err(|source| ("sync", source)));
        if let Err((action, source)) = written {
            let path = current.segment.path(&self.directory);
            self.failed = Some((current.segment.clone(), current.length));
            self.current = None;
            return Err(LogError::io(action, path, source));
        }
        current.length += self.frame.len() as u64;
        self.head = head;
        *self.shared.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        Ok(head.sequence)
    }

    /// After a failure: cuts off the unacknowledged tail and proves that frames can be sealed and
    /// a new segment made. The failed file is opened anew: after a failed sync the old handle may
    /// not report the next one.
    fn repair(&mut self) -> Result<(), LogError> {
        self.cipher.seal(&[], &[], &mut Vec::new()).map_err(|_| LogError::Seal)?;
        if let Some((segment, length)) = self.failed.take() {
            let path = segment.path(&self.directory);
            let cut = if length == 0 {
                // The new segment will have the same first frame.
                remove_if_there(&path)
            } else {
                self.io.reopen(&path).and_then(|mut file| file.truncate(length))
            };
            if let Err(source) = cut {
                self.failed = Some((segment, length));
                return Err(LogError::io("cut the failed tail of", &path, source));
            }
        }
        match &mut self.current {
            Some(current) if current.length == 0 => {
                let path = current.segment.path(&self.directory);
                current.file.sync().map_err(|source| LogError::io("sync", &path, source))?;
            }
            _ => self.create_segment()?,
        }
        self.prove_room()
    }

    /// Proves that there is room for frames: a full disk gives empty files, and a log that believed
    /// them would let calls be done that it cannot record.
    fn prove_room(&self) -> Result<(), LogError> {
        let path = self.directory.join(ROOM);
        let failed = |source| LogError::io("make room at", &path, source);
        remove_if_there(&path).map_err(failed)?;
        let mut file = self.io.create(&path).map_err(failed)?;
        let written = file.append(&vec![0; ROOM_BYTES]).and_then(|()| file.sync());
        remove_if_there(&path).map_err(failed)?;
        written.map_err(failed)
    }

    fn rotate_if_due(&mut self) -> Result<(), LogError> {
        let now = (self.options.clock)();
        let due = self.current.as_ref().is_none_or(|current| {
            let age = u128::from(now.saturating_sub(current.segment.start));
            current.length > 0
                && (current.length >= self.options.segment_bytes
                    || age >= self.options.segment_age.as_millis())
        });
        if due { self.create_segment() } else { Ok(()) }
    }

    fn create_segment(&mut self) -> Result<(), LogError> {
        let segment = Segment { first: self.head.sequence + 1, start: (self.options.clock)() };
        let path = segment.path(&self.directory);
        let file = self.io.create(&path).map_err(|source| LogError::io("create", &path, source))?;
        if let Err(source) = self.io.sync_directory(&self.directory) {
            // If this fails too, the next open removes it, being empty.
            let _ = std::fs::remove_file(&path);
            return Err(LogError::io("sync", &self.directory, source));
        }
        self.current = Some(Current { segment, file, length: 0 });
        Ok(())
    }
}

/// When the writer ends, nobody waits in vain, nor is anything more taken.
struct AbandonAtEnd<'a>(&'a Queue);

impl Drop for AbandonAtEnd<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
