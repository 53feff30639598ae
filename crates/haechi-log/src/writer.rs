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
    frame::{self, ChainHead, HEADER},
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

/// Zeros to write ahead, a piece at a time.
static BLANK: [u8; 64 << 10] = [0; 64 << 10];

/// Bytes of zeros that are written ahead at once, at most.
const AHEAD_MAX: u64 = 1 << 20;

/// The segment being written. Behind its last frame there may be zeros: a frame that is written over
/// them changes neither the file's size nor where its blocks lie, so that a sync has nothing to do
/// but the frame itself.
struct Current {
    segment: Segment,
    file: Box<dyn SegmentFile>,
    /// Bytes of frames that are written and synced.
    length: u64,
    /// Bytes of the file, with the zeros.
    size: u64,
    /// The length at which this writer began.
    begun: u64,
}

impl Current {
    fn new(segment: Segment, file: Box<dyn SegmentFile>, length: u64) -> Current {
        Current { segment, file, length, size: length, begun: length }
    }

    /// Writes a frame behind the last one and returns once it is on the disk. The header comes last,
    /// so that whoever reads meanwhile sees no frame or a whole one.
    fn write(&mut self, frame: &[u8], segment_bytes: u64) -> Result<(), (&'static str, io::Error)> {
        let end = self.length + frame.len() as u64;
        let (header, body) = frame.split_at(HEADER.min(frame.len()));
        let written = self
            .file
            .write_at(body, self.length + header.len() as u64)
            .and_then(
                |()| if end > self.size { self.write_ahead(end, segment_bytes) } else { Ok(()) },
            )
            .and_then(|()| self.file.write_at(header, self.length));
        written.map_err(|source| ("write", source))?;
        self.file.sync().map_err(|source| ("sync", source))?;
        self.length = end;
        Ok(())
    }

    /// Writes zeros behind `end`: as many bytes as this writer has written, so that one which
    /// writes little takes no room for more.
    fn write_ahead(&mut self, end: u64, segment_bytes: u64) -> io::Result<()> {
        let ahead =
            (self.length - self.begun).min(AHEAD_MAX).min(segment_bytes.saturating_sub(end));
        self.size = end;
        while self.size < end + ahead {
            let piece = usize::try_from(end + ahead - self.size).unwrap_or(usize::MAX);
            let piece = BLANK.get(..piece).unwrap_or(&BLANK);
            self.file.write_at(piece, self.size)?;
            self.size += piece.len() as u64;
        }
        Ok(())
    }

    /// Cuts off what zeros are left: nothing more is written to it.
    fn finish(&mut self) -> io::Result<()> {
        if self.size > self.length {
            self.file.truncate(self.length)?;
            self.size = self.length;
        }
        Ok(())
    }
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
                Some(Current::new(segment, file, length))
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
                Next::Closed => {
                    // If this fails, whoever opens it next cuts the zeros off.
                    let _ = self.current.as_mut().map(Current::finish);
                    return;
                }
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
        if let Err((action, source)) = current.write(&self.frame, self.options.segment_bytes) {
            return Err(self.fail(action, source));
        }
        self.head = head;
        *self.shared.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        Ok(head.sequence)
    }

    /// Gives up the current segment, which [`Self::repair`] will cut off behind its last frame.
    fn fail(&mut self, action: &'static str, source: io::Error) -> LogError {
        let Some(current) = self.current.take() else { return LogError::Closed };
        let path = current.segment.path(&self.directory);
        self.failed = Some((current.segment, current.length));
        LogError::io(action, path, source)
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
        let written = file.write_at(&vec![0; ROOM_BYTES], 0).and_then(|()| file.sync());
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
        if !due {
            return Ok(());
        }
        if let Some(Err(source)) = self.current.as_mut().map(Current::finish) {
            return Err(self.fail("finish", source));
        }
        self.create_segment()
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
        self.current = Some(Current::new(segment, file, 0));
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
