//! Readers that start in the middle, follow a writer, and cross segments.

use haechi_log::{Log, LogError, Options, Position, Reader};
use tempfile::tempdir;

use crate::support::{append_all, cipher, options};

fn texts(reader: &mut Reader) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        texts.push(String::from_utf8(record.bytes).unwrap());
    }
    texts
}

#[test]
fn a_reader_follows_the_writer_across_segments() {
    let directory = tempdir().unwrap();
    let mut early = Reader::from_end(directory.path(), cipher()).unwrap();
    assert_eq!(early.next().unwrap(), None);
    let options = Options { segment_bytes: 200, ..options() };
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    append_all(&log, &["a", "b"]);
    assert_eq!(texts(&mut early), ["a", "b"]);
    let mut late = Reader::from_end(directory.path(), cipher()).unwrap();
    append_all(&log, &["c", "d", "e", "f"]);
    assert_eq!(texts(&mut early), ["c", "d", "e", "f"]);
    assert_eq!(texts(&mut late), ["c", "d", "e", "f"]);
    assert_eq!(early.next().unwrap(), None);
}

#[test]
fn a_reader_starts_at_a_position() {
    let directory = tempdir().unwrap();
    let options = Options { segment_bytes: 200, ..options() };
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    append_all(&log, &["a", "b", "c", "d", "e"]);
    for (frame, rest) in [(1, 5), (3, 3), (5, 1)] {
        let position = Position { frame, index: 0 };
        let mut reader = Reader::from_position(directory.path(), cipher(), position).unwrap();
        let first = reader.next().unwrap().unwrap();
        assert_eq!(first.position, position);
        assert_eq!(texts(&mut reader).len() + 1, rest);
    }
    let beyond = Position { frame: 6, index: 0 };
    let missing = Reader::from_position(directory.path(), cipher(), beyond);
    assert!(matches!(missing, Err(LogError::NoSuchPosition { frame: 6 })));
}

#[test]
fn another_key_opens_nothing() {
    let directory = tempdir().unwrap();
    let log = Log::open(directory.path(), cipher(), options()).unwrap();
    append_all(&log, &["a"]);
    let other = std::sync::Arc::new(crate::support::TestCipher(8));
    let mut reader = Reader::from_start(directory.path(), other);
    assert!(matches!(reader.next(), Err(LogError::Tampered { frame: 1, .. })));
}

fn backward(directory: &std::path::Path, before: Option<Position>, since_ms: u64) -> Vec<String> {
    let mut reader =
        haechi_log::Backward::new(directory, cipher(), before, since_ms, u64::MAX).unwrap();
    let mut texts = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        texts.push(String::from_utf8(record.bytes).unwrap());
    }
    texts
}

#[test]
fn a_backward_reader_shows_the_newest_first_across_segments() {
    let directory = tempdir().unwrap();
    assert_eq!(backward(directory.path(), None, 0), [""; 0]);
    let options = Options { segment_bytes: 200, ..options() };
    let log = Log::open(directory.path(), cipher(), options).unwrap();
    append_all(&log, &["a", "b", "c", "d", "e"]);
    assert_eq!(backward(directory.path(), None, 0), ["e", "d", "c", "b", "a"]);
    let before = Some(Position { frame: 4, index: 0 });
    assert_eq!(backward(directory.path(), before, 0), ["c", "b", "a"]);
    // The last segment has no end; all before it ended long ago.
    assert!(backward(directory.path(), None, u64::MAX).len() < 5);
}
