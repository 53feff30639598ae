//! Failures that no real disk gives on demand.

use std::{
    io,
    sync::atomic::{AtomicU64, AtomicUsize},
};

use tempfile::tempdir;

use super::*;
use crate::{
    cipher::CipherError,
    io::SegmentFile,
    verify::{Report, verify},
};

/// Fails its calls of one kind while `failing` holds that kind's number.
struct Faulty {
    failing: Arc<AtomicUsize>,
}

const NONE: usize = 0;
const APPEND: usize = 1;
const SYNC: usize = 2;
const CREATE: usize = 3;
const SYNC_DIRECTORY: usize = 4;
/// Files can be made, and a few bytes written.
const ROOM: usize = 5;

struct FaultyFile {
    inner: Box<dyn SegmentFile>,
    failing: Arc<AtomicUsize>,
}

fn fault(failing: &AtomicUsize, kind: usize) -> io::Result<()> {
    if failing.load(Ordering::SeqCst) == kind {
        return Err(io::Error::from(io::ErrorKind::StorageFull));
    }
    Ok(())
}

impl Io for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        fault(&self.failing, CREATE)?;
        let failing = Arc::clone(&self.failing);
        Ok(Box::new(FaultyFile { inner: Disk.create(path)?, failing }))
    }

    fn reopen(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let failing = Arc::clone(&self.failing);
        Ok(Box::new(FaultyFile { inner: Disk.reopen(path)?, failing }))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        fault(&self.failing, SYNC_DIRECTORY)?;
        Disk.sync_directory(directory)
    }
}

impl SegmentFile for FaultyFile {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if bytes.len() > 4096 {
            fault(&self.failing, ROOM)?;
        }
        if self.failing.load(Ordering::SeqCst) == APPEND {
            // As on a full disk: half of it is written.
            self.inner.write_at(&bytes[..bytes.len() / 2], offset)?;
        }
        fault(&self.failing, APPEND)?;
        self.inner.write_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        fault(&self.failing, SYNC)?;
        self.inner.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        fault(&self.failing, APPEND)?;
        self.inner.truncate(length)
    }
}

/// Does not seal while the flag is set.
struct Plain(Arc<AtomicBool>);

impl FrameCipher for Plain {
    fn seal(&self, _: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), CipherError> {
        out.extend_from_slice(plaintext);
        if self.0.load(Ordering::SeqCst) { Err(CipherError) } else { Ok(()) }
    }

    fn open(&self, _aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        Ok(sealed.to_vec())
    }
}

fn options() -> Options {
    let clock = AtomicU64::new(0);
    let mut options = Options::new(Arc::new(move || clock.fetch_add(1, Ordering::Relaxed)));
    options.retry = std::time::Duration::from_millis(1);
    options
}

struct Bench {
    directory: tempfile::TempDir,
    failing: Arc<AtomicUsize>,
    sealed: Arc<AtomicBool>,
    log: Option<Log>,
}

impl Bench {
    fn new() -> Self {
        let (failing, sealed) = (Arc::default(), Arc::default());
        let mut bench = Self { directory: tempdir().unwrap(), failing, sealed, log: None };
        bench.reopen();
        bench
    }

    fn reopen(&mut self) {
        self.log = None;
        let io = Arc::new(Faulty { failing: Arc::clone(&self.failing) });
        let cipher = Arc::new(Plain(Arc::clone(&self.sealed)));
        self.log = Some(Log::open_with(self.directory.path(), cipher, options(), io).unwrap());
    }

    fn log(&self) -> &Log {
        self.log.as_ref().unwrap()
    }

    fn append(&self, text: &str) -> Result<Position, LogError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.log().append(text.as_bytes().to_vec()))
    }

    fn report(&self) -> Report {
        verify(self.directory.path(), &Plain(Arc::default())).unwrap()
    }

    /// Waits for the writer's own repair, without any append.
    fn wait_until_healthy(&self) {
        while !self.log().is_healthy() {
            thread::yield_now();
        }
    }
}

#[test]
fn a_failed_write_or_sync_fails_the_log_until_it_is_writable_again() {
    for kind in [APPEND, SYNC] {
        for before in 0..2 {
            let mut bench = Bench::new();
            for _ in 0..before {
                bench.append("before").unwrap();
            }
            let head = bench.log().head();
            bench.failing.store(kind, Ordering::SeqCst);
            assert!(matches!(bench.append("lost"), Err(LogError::Io { .. })));
            assert!(kind != APPEND || bench.append("lost").is_err());
            assert_eq!(bench.log().head(), head);
            bench.failing.store(NONE, Ordering::SeqCst);
            bench.wait_until_healthy();
            bench.append("after").unwrap();
            let report = bench.report();
            assert_eq!((report.findings, report.records), (vec![], before + 1), "kind {kind}");
            bench.reopen();
            bench.append("reopened").unwrap();
            assert_eq!(bench.report().findings, []);
            assert_eq!(bench.report().head, bench.log().head());
        }
    }
}

#[test]
fn while_no_segment_can_be_made_a_failed_log_stays_failed() {
    for kind in [CREATE, SYNC_DIRECTORY] {
        let mut bench = Bench::new();
        bench.append("before").unwrap();
        bench.failing.store(SYNC, Ordering::SeqCst);
        assert!(bench.append("lost").is_err());
        bench.failing.store(kind, Ordering::SeqCst);
        for _ in 0..3 {
            assert!(bench.append("lost").is_err());
            assert!(!bench.log().is_healthy());
        }
        bench.failing.store(NONE, Ordering::SeqCst);
        bench.wait_until_healthy();
        bench.append("after").unwrap();
        bench.reopen();
        assert_eq!((bench.report().findings, bench.report().records), (vec![], 2));
    }
}

#[test]
fn a_log_that_failed_is_well_again_only_once_there_is_room_for_records() {
    let mut bench = Bench::new();
    bench.append("before").unwrap();
    bench.failing.store(APPEND, Ordering::SeqCst);
    assert!(bench.append("lost").is_err());
    bench.failing.store(ROOM, Ordering::SeqCst);
    // The writer tries every millisecond.
    thread::sleep(std::time::Duration::from_millis(50));
    assert!(!bench.log().is_healthy(), "an empty segment proves nothing");
    assert!(bench.append("lost").is_err());
    bench.failing.store(NONE, Ordering::SeqCst);
    bench.wait_until_healthy();
    bench.append("after").unwrap();
    assert_eq!((bench.report().findings, bench.report().records), (vec![], 2));
    bench.reopen();
    bench.append("reopened").unwrap();
    assert_eq!(bench.report().findings, []);
}

#[test]
fn a_cipher_that_refuses_fails_the_log_and_not_for_ever() {
    for before in 0..2 {
        let bench = Bench::new();
        for _ in 0..before {
            bench.append("before").unwrap();
        }
        bench.sealed.store(true, Ordering::SeqCst);
        assert!(matches!(bench.append("lost"), Err(LogError::Seal)));
        assert!(!bench.log().is_healthy());
        bench.sealed.store(false, Ordering::SeqCst);
        bench.wait_until_healthy();
        bench.append("after").unwrap();
        assert_eq!((bench.report().findings, bench.report().records), (vec![], before + 1));
    }
}
