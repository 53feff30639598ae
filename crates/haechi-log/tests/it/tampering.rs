//! Every change to a log is found, and named.

use std::fs;

use haechi_log::{Damage, Finding, Log, LogError, Options, Report, verify};
use tempfile::{TempDir, tempdir};

use crate::support::{append_all, cipher, options, read_all, segments};

/// Six frames in three segments.
fn small_log() -> TempDir {
    let directory = tempdir().unwrap();
    let options = Options { segment_bytes: 200, ..options() };
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    append_all(&log, &["one", "two", "three", "four", "five", "six"]);
    assert_eq!(segments(directory.path()).len(), 3);
    directory
}

fn check(directory: &TempDir) -> Report {
    verify(directory.path(), &*cipher()).unwrap()
}

fn open(directory: &TempDir) -> Result<Log, LogError> {
    Log::open(directory.path(), cipher(), options())
}

#[test]
fn each_changed_byte_of_a_log_is_found() {
    let directory = small_log();
    assert_eq!(check(&directory).findings, []);
    for file in segments(directory.path()) {
        let sound = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for at in 0..sound.len() {
            let mut changed = sound.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(&file, &changed).unwrap();
            let report = check(&directory);
            let named = report.findings.iter().any(
                |finding| matches!(finding, Finding::Damaged { segment, .. } if *segment == name),
            );
            assert!(named, "{name} byte {at}: {report:?}");
        }
        fs::write(&file, &sound).unwrap();
    }
    assert_eq!(check(&directory).findings, []);
}

#[test]
fn each_changed_byte_of_the_last_segment_keeps_the_log_closed() {
    let directory = small_log();
    let file = segments(directory.path()).pop().unwrap();
    let sound = fs::read(&file).unwrap();
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&file, &changed).unwrap();
        let refused = open(&directory).err();
        assert!(matches!(refused, Some(LogError::Tampered { .. })), "byte {at}: {refused:?}");
        assert_eq!(fs::read(&file).unwrap(), changed, "nothing is touched");
    }
}

#[test]
fn a_missing_segment_is_named() {
    for missing in [0, 1] {
        let directory = small_log();
        let files = segments(directory.path());
        fs::remove_file(&files[missing]).unwrap();
        let after = files[missing + 1].file_name().unwrap().to_string_lossy().into_owned();
        let (expected, found) = if missing == 0 { (1, 3) } else { (3, 5) };
        let finding = Finding::Missing { segment: after.clone(), expected, found };
        assert!(check(&directory).findings.contains(&finding));
        let Err(LogError::MissingSegment { segment, expected: e, found: f }) = open(&directory)
        else {
            panic!("segment {missing} is gone")
        };
        assert_eq!((segment, e, f), (after, expected, found));
    }
}

#[test]
fn a_tail_that_is_cut_off_whole_shows_in_the_anchored_head() {
    let directory = small_log();
    let anchored = check(&directory).head;
    fs::remove_file(segments(directory.path()).pop().unwrap()).unwrap();
    let report = check(&directory);
    assert_eq!(report.findings, []);
    assert_ne!(report.head, anchored);
}

/// The bytes of each frame of a segment.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[4..8].try_into().unwrap()) as usize + 64 + 32;
        let (frame, after) = rest.split_at(length);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

#[test]
fn a_removed_frame_a_repeated_frame_and_swapped_frames_are_found() {
    let directory = tempdir().unwrap();
    let log = open(&directory).unwrap();
    append_all(&log, &["one", "two", "three"]);
    drop(log);
    let file = segments(directory.path()).pop().unwrap();
    let sound = frames(&fs::read(&file).unwrap());
    for order in [vec![0, 2], vec![1, 2], vec![0, 1, 1, 2], vec![0, 2, 1], vec![1, 0, 2]] {
        let bytes: Vec<u8> = order.iter().flat_map(|index| sound[*index].clone()).collect();
        fs::write(&file, bytes).unwrap();
        let report = check(&directory);
        let chain =
            |finding: &Finding| matches!(finding, Finding::Damaged { damage: Damage::Chain, .. });
        assert!(report.findings.iter().any(chain), "{order:?}: {report:?}");
        assert!(matches!(open(&directory), Err(LogError::Tampered { .. })), "{order:?}");
    }
}

#[test]
fn a_frame_with_a_good_hash_but_no_seal_is_a_forgery() {
    let directory = tempdir().unwrap();
    drop(open(&directory).unwrap());
    let forged = tempdir().unwrap();
    let other = std::sync::Arc::new(crate::support::TestCipher(8));
    let log = Log::open(forged.path(), other, options()).unwrap();
    append_all(&log, &["forged"]);
    drop(log);
    let (from, to) = (segments(forged.path()), segments(directory.path()));
    fs::copy(&from[0], &to[0]).unwrap();
    let refused = open(&directory).err();
    let seal = matches!(refused, Some(LogError::Tampered { damage: Damage::Seal, frame: 1, .. }));
    assert!(seal, "{refused:?}");
}

#[test]
fn a_renamed_segment_does_not_open() {
    let directory = small_log();
    let file = &segments(directory.path())[1];
    let name = file.file_name().unwrap().to_string_lossy().replace("-1440", "-1441");
    fs::rename(file, directory.path().join(name)).unwrap();
    assert!(!check(&directory).findings.is_empty());
}

#[test]
fn a_strange_file_is_named() {
    let directory = small_log();
    fs::write(directory.path().join("notes.txt"), "x").unwrap();
    let finding = Finding::UnexpectedFile { name: "notes.txt".into() };
    assert_eq!(check(&directory).findings, [finding]);
}

#[test]
fn a_torn_tail_is_cut_off_at_every_length_and_the_log_goes_on() {
    let directory = tempdir().unwrap();
    let log = open(&directory).unwrap();
    append_all(&log, &["one", "two"]);
    drop(log);
    let file = segments(directory.path()).pop().unwrap();
    let sound = fs::read(&file).unwrap();
    let first = frames(&sound)[0].len();
    for length in first..sound.len() {
        fs::write(&file, &sound[..length]).unwrap();
        if length > first {
            let report = check(&directory);
            let torn = matches!(report.findings[..], [Finding::TornTail { .. }]);
            assert!(torn, "{length}: {report:?}");
        }
        let log = open(&directory).unwrap();
        assert_eq!(log.head().sequence, 1);
        append_all(&log, &["again"]);
        drop(log);
        assert_eq!(read_all(directory.path()), ["one", "again"]);
        assert_eq!(check(&directory).findings, []);
    }
}

#[test]
fn a_last_frame_with_sectors_that_were_never_written_is_torn() {
    let directory = tempdir().unwrap();
    let log = open(&directory).unwrap();
    append_all(&log, &["one", &"x".repeat(3000)]);
    drop(log);
    let file = segments(directory.path()).pop().unwrap();
    let sound = fs::read(&file).unwrap();
    for sector in 1..sound.len() / 512 {
        let mut bytes = sound.clone();
        bytes[sector * 512..(sector + 1) * 512].fill(0);
        fs::write(&file, &bytes).unwrap();
        assert_eq!(open(&directory).unwrap().head().sequence, 1, "sector {sector}");
    }
}
