//! A log file: its name and what is in it.
//!
//! Source: User Guide, "CloudTrail log file examples", "File name format".

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use haechi_core::AuditPosition;
use haechi_wire::Timestamp;

use crate::sha256;
use crate::trail::TrailRecord;

/// Records in a file, at most.
pub(crate) const RECORDS_MAX: usize = 10_000;

/// `[prefix/]AWSLogs/[<organization>/]<account>/<kind>/<region>/yyyy/mm/dd`.
pub(crate) fn folder(
    trail: &TrailRecord,
    kind: &str,
    (account, region): (&str, &str),
    time: Timestamp,
) -> String {
    let part = |text: &Option<String>| text.as_ref().map(|text| format!("{text}/"));
    let prefix = part(&trail.prefix).unwrap_or_default();
    let organization = part(&trail.organization).unwrap_or_default();
    let day = time.format("%Y/%m/%d");
    format!("{prefix}AWSLogs/{organization}{account}/{kind}/{region}/{day}")
}

/// The key of the log file that begins with the record at `first`. The same file has the same
/// name each time: a delivery that was cut off and begins anew overwrites what it had written.
pub(crate) fn key(
    trail: &TrailRecord,
    (account, region): (&str, &str),
    time: Timestamp,
    first: AuditPosition,
) -> String {
    let text = format!("{}\n{region}\n{}\n{}", trail.arn, first.frame, first.index);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let hash = sha256(text.as_bytes());
    let unique: String = hash
        .iter()
        .take(16)
        .filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len()))
        .map(|byte| char::from(*byte))
        .collect();
    let minute = time.format("%Y%m%dT%H%MZ");
    let folder = folder(trail, "CloudTrail", (account, region), time);
    format!("{folder}/{account}_CloudTrail_{region}_{minute}_{unique}.json.gz")
}

/// `{"Records":[…]}`, the records as they are.
pub(crate) fn content<'a>(records: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = br#"{"Records":["#.to_vec();
    for (index, record) in records.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(record);
    }
    out.extend_from_slice(b"]}");
    out
}

/// Compressed; the same each time.
pub(crate) fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    encoder.finish()
}

/// What a compressed file holds; an error also when something follows it.
pub(crate) fn gunzip(file: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoder = GzDecoder::new(file);
    let mut content = Vec::new();
    decoder.read_to_end(&mut content)?;
    if decoder.into_inner().is_empty() {
        return Ok(content);
    }
    Err(io::Error::other("there is more data after the compressed stream"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::tests::trail;

    #[test]
    fn a_log_file_is_named_as_aws_names_it_and_the_same_each_time() {
        let mut trail = trail();
        trail.prefix = Some("p".to_owned());
        let time = Timestamp::parse("2026-01-02T03:04:05Z").unwrap();
        let position = AuditPosition { frame: 7, index: 0 };
        let place = ("111122223333", "us-east-1");
        let key = key(&trail, place, time, position);
        let start = "p/AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/02/111122223333_CloudTrail_us-east-1_20260102T0304Z_";
        let unique = key.strip_prefix(start).unwrap().strip_suffix(".json.gz").unwrap();
        assert!(unique.len() == 16 && unique.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(super::key(&trail, place, time, position), key);
        let next = AuditPosition { frame: 7, index: 1 };
        assert_ne!(super::key(&trail, place, time, next), key);
        trail.organization = Some("o-own".to_owned());
        let key = super::key(&trail, ("444455556666", "us-east-1"), time, position);
        assert!(key.starts_with(
            "p/AWSLogs/o-own/444455556666/CloudTrail/us-east-1/2026/01/02/444455556666_CloudTrail_us-east-1_"
        ));
    }

    #[test]
    fn what_was_compressed_comes_back_and_nothing_may_follow_it() {
        let content = content([&b"{\"a\":1}"[..], b"{}"].into_iter());
        assert_eq!(content, br#"{"Records":[{"a":1},{}]}"#);
        let mut file = gzip(&content).unwrap();
        assert_eq!(gunzip(&file).unwrap(), content);
        file.push(b'x');
        assert!(gunzip(&file).is_err());
    }
}
