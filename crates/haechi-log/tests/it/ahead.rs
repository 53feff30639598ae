//! Zeros behind the last frame of the segment being written.

use std::fs;

use haechi_log::{Log, Reader, verify};
use tempfile::tempdir;

use crate::support::{append_all, cipher, options, read_all, segments};

/// A log that is being written, and the length of its one segment's frames.
fn writing(directory: &std::path::Path) -> (Log, usize) {
    let log = Log::open(directory, cipher(), options()).unwrap();
    append_all(&log, &["one", "two", "three", "four", "five"]);
    let bytes = fs::read(segments(directory).pop().unwrap()).unwrap();
    let frames = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (log, frames)
}

#[test]
fn a_log_that_is_being_written_reads_and_verifies_as_one_that_is_closed() {
    let directory = tempdir().unwrap();
    let (log, frames) = writing(directory.path());
    let file = segments(directory.path()).pop().unwrap();
    assert!(fs::metadata(&file).unwrap().len() > frames as u64, "there are zeros ahead");
    let report = verify(directory.path(), &*cipher()).unwrap();
    assert_eq!((report.findings, report.records), (vec![], 5));
    assert_eq!(report.head, log.head());
    let mut reader = Reader::from_end(directory.path(), cipher()).unwrap();
    assert_eq!(reader.next().unwrap(), None);
    append_all(&log, &["six"]);
    assert_eq!(reader.next().unwrap().unwrap().bytes, b"six");
    drop(log);
    let bytes = fs::read(&file).unwrap();
    assert_ne!(bytes.last(), Some(&0), "a log that is closed has none");
    assert_eq!(read_all(directory.path()).len(), 6);
}

#[test]
fn a_log_that_was_not_closed_goes_on_behind_its_last_frame() {
    let directory = tempdir().unwrap();
    let (log, frames) = writing(directory.path());
    let file = segments(directory.path()).pop().unwrap();
    let left = fs::read(&file).unwrap();
    drop(log);
    // As kill -9 leaves it: with all zeros, and with a frame that is there but for its header.
    let mut begun = left.clone();
    begun[frames + 64..].fill(b'x');
    for (name, bytes) in [("zeros", &left), ("begun", &begun)] {
        fs::write(&file, bytes).unwrap();
        let log = Log::open(directory.path(), cipher(), options()).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().len(), frames as u64, "{name}");
        append_all(&log, &["again"]);
        drop(log);
        assert_eq!(read_all(directory.path()), ["one", "two", "three", "four", "five", "again"]);
        assert_eq!(verify(directory.path(), &*cipher()).unwrap().findings, []);
    }
}

#[test]
fn a_frame_that_was_changed_before_the_zeros_is_found() {
    let directory = tempdir().unwrap();
    let (log, frames) = writing(directory.path());
    let file = segments(directory.path()).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    drop(log);
    bytes[frames - 40] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert_eq!(verify(directory.path(), &*cipher()).unwrap().findings.len(), 1);
    assert!(Log::open(directory.path(), cipher(), options()).is_err());
}

#[test]
fn a_finished_segment_has_no_zeros() {
    let directory = tempdir().unwrap();
    let mut options = options();
    options.segment_bytes = 4096;
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    for _ in 0..30 {
        append_all(&log, &[&"x".repeat(300)]);
    }
    let files = segments(directory.path());
    assert!(files.len() > 2);
    for file in files.iter().take(files.len() - 1) {
        assert!(fs::metadata(file).unwrap().len() < 4096 + 500);
    }
    assert_eq!(verify(directory.path(), &*cipher()).unwrap().findings, []);
}

#[test]
fn whoever_reads_while_frames_are_written_sees_whole_ones() {
    let directory = tempdir().unwrap();
    let log = Log::open(directory.path(), cipher(), options()).unwrap();
    let record = "x".repeat(20_000);
    std::thread::scope(|scope| {
        scope.spawn(|| (0..40).for_each(|_| append_all(&log, &[record.as_str(); 10])));
        let mut reader = Reader::from_start(directory.path(), cipher());
        let mut seen = 0;
        while seen < 400 {
            if let Some(read) = reader.next().unwrap() {
                assert_eq!(read.bytes, record.as_bytes());
                seen += 1;
            }
        }
    });
}
