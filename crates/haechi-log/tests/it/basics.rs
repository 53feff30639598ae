//! Appending, reopening, rotating.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use haechi_log::{ChainHead, Log, LogError, Options, verify};
use tempfile::tempdir;

use crate::support::{append_all, cipher, options, options_at, read_all, runtime, segments};

#[test]
fn what_is_appended_is_read_in_order_and_after_reopening_too() {
    let directory = tempdir().unwrap();
    let log = Log::open(directory.path(), cipher(), options()).unwrap();
    assert_eq!(log.head(), ChainHead::EMPTY);
    append_all(&log, &["one", "", "three"]);
    assert_eq!(read_all(directory.path()), ["one", "", "three"]);
    let head = log.head();
    assert_eq!(head.sequence, 3);
    drop(log);
    let log = Log::open(directory.path(), cipher(), options()).unwrap();
    assert_eq!(log.head(), head);
    append_all(&log, &["four"]);
    assert_eq!(read_all(directory.path()), ["one", "", "three", "four"]);
    assert!(log.is_healthy());
}

#[test]
fn records_that_belong_together_stand_one_behind_the_other_in_one_frame() {
    let directory = tempdir().unwrap();
    let mut options = options();
    options.record_bytes = 10;
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    let together = |texts: &[&str]| {
        let records: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        (log.takes_together(&records), runtime().block_on(log.append_together(records)))
    };
    let (fits, last) = together(&["one", "two", "3"]);
    let last = last.unwrap();
    assert_eq!((fits, last.frame, last.index), (true, 1, 2));
    // None of what is too large together is written.
    let (fits, refused) = together(&["seven..", "four"]);
    assert!(!fits && matches!(refused, Err(LogError::RecordTooLarge { bytes: 11, limit: 10 })));
    append_all(&log, &["four"]);
    assert_eq!(read_all(directory.path()), ["one", "two", "3", "four"]);
}

#[test]
fn records_that_wait_together_share_a_frame() {
    let directory = tempdir().unwrap();
    let log = Arc::new(Log::open(directory.path(), cipher(), options()).unwrap());
    let positions = runtime().block_on(async {
        let tasks: Vec<_> = (0..500)
            .map(|number: u32| {
                let log = Arc::clone(&log);
                tokio::spawn(async move { log.append(number.to_be_bytes().to_vec()).await })
            })
            .collect();
        let mut positions = Vec::new();
        for task in tasks {
            positions.push(task.await.unwrap().unwrap());
        }
        positions
    });
    let mut unique = positions.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 500);
    let report = verify(directory.path(), &*cipher()).unwrap();
    assert_eq!((report.records, report.frames), (500, log.head().sequence));
    assert!(report.frames < 500, "{report:?}");
    assert_eq!(report.findings, []);
}

#[test]
fn segments_rotate_by_size_and_age_and_only_the_owner_may_read_them() {
    let directory = tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(1_440_938_160_000));
    let options = Options { segment_bytes: 200, ..options_at(&now) };
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    append_all(&log, &["a", "b", "c", "d"]);
    let count = segments(directory.path()).len();
    assert!(count > 1);
    append_all(&log, &["e"]);
    now.fetch_add(Duration::from_secs(86_400).as_millis() as u64, Ordering::Relaxed);
    append_all(&log, &["f"]);
    let files = segments(directory.path());
    assert!(files.len() > count);
    for file in &files {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(files[0].ends_with("00000000000000000001-1440938160000.log"));
    assert!(files.last().unwrap().to_string_lossy().ends_with("-1441024560000.log"));
    assert_eq!(read_all(directory.path()), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(verify(directory.path(), &*cipher()).unwrap().findings, []);
}

#[test]
fn a_second_writer_is_refused() {
    let directory = tempdir().unwrap();
    let log = Log::open(directory.path(), cipher(), options()).unwrap();
    let second = Log::open(directory.path(), cipher(), options());
    assert!(matches!(second, Err(LogError::Locked { .. })));
    drop(log);
    assert!(Log::open(directory.path(), cipher(), options()).is_ok());
}

#[test]
fn a_record_over_the_limit_is_refused_and_the_log_goes_on() {
    let directory = tempdir().unwrap();
    let options = Options { record_bytes: 10, ..options() };
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    let refused = runtime().block_on(log.append(vec![0; 11])).unwrap_err();
    assert!(matches!(refused, LogError::RecordTooLarge { bytes: 11, limit: 10 }));
    append_all(&log, &["small"]);
    assert_eq!(read_all(directory.path()), ["small"]);
}

#[test]
fn a_full_queue_makes_appenders_wait_and_loses_nothing() {
    let directory = tempdir().unwrap();
    let options = Options { queue_records: 2, ..options() };
    let log = Arc::new(Log::open(directory.path(), cipher(), options).unwrap());
    runtime().block_on(async {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let log = Arc::clone(&log);
                tokio::spawn(async move { log.append(b"x".to_vec()).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    assert_eq!(read_all(directory.path()).len(), 100);
}
