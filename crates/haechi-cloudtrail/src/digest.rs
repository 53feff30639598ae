//! Digest files: what was delivered in an hour, signed and chained.
//!
//! Source: User Guide, "CloudTrail digest file structure" and "Custom implementations of CloudTrail
//! log file integrity validation"; checked with the AWS CLI's validator.

use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::delivery::Object;
use crate::signing_key::SigningKey;
use crate::store::{ChainRecord, DigestLink, LogFile};
use crate::trail::TrailRecord;
use crate::{hex, log_file, sha256};

/// A digest tells of this long, or of a multiple after downtime.
pub(crate) const INTERVAL_MS: i64 = 3_600_000;

/// A digest file's JSON; the order is AWS's.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Digest {
    pub(crate) aws_account_id: String,
    pub(crate) digest_start_time: String,
    pub(crate) digest_end_time: String,
    #[serde(rename = "digestS3Bucket")]
    pub(crate) bucket: String,
    #[serde(rename = "digestS3Object")]
    pub(crate) key: String,
    #[serde(rename = "digestPublicKeyFingerprint")]
    pub(crate) fingerprint: String,
    pub(crate) digest_signature_algorithm: String,
    pub(crate) newest_event_time: Option<String>,
    pub(crate) oldest_event_time: Option<String>,
    #[serde(rename = "previousDigestS3Bucket")]
    pub(crate) previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object")]
    pub(crate) previous_key: Option<String>,
    #[serde(rename = "previousDigestHashValue")]
    pub(crate) previous_hash: Option<String>,
    #[serde(rename = "previousDigestHashAlgorithm")]
    pub(crate) previous_hash_algorithm: Option<String>,
    #[serde(rename = "previousDigestSignature")]
    pub(crate) previous_signature: Option<String>,
    pub(crate) log_files: Vec<Listed>,
}

/// A log file as a digest lists it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    #[serde(rename = "s3Bucket")]
    pub(crate) bucket: String,
    #[serde(rename = "s3Object")]
    pub(crate) key: String,
    pub(crate) hash_value: String,
    pub(crate) hash_algorithm: String,
    pub(crate) newest_event_time: String,
    pub(crate) oldest_event_time: String,
}

/// What is signed.
pub(crate) fn string_to_sign(digest: &Digest, content: &[u8]) -> String {
    let previous = digest.previous_signature.as_deref().unwrap_or("null");
    let (end, bucket, key) = (&digest.digest_end_time, &digest.bucket, &digest.key);
    format!("{end}\n{bucket}/{key}\n{}\n{previous}", hex(&sha256(content)))
}

/// A digest file, ready to be delivered.
pub(crate) struct Signed {
    pub(crate) link: DigestLink,
    file: Vec<u8>,
}

impl Signed {
    /// Tells of what a chain delivered until `end`.
    pub(crate) fn new(
        trail: &TrailRecord,
        chain: &ChainRecord,
        from: Timestamp,
        end: Timestamp,
        key: &SigningKey,
    ) -> Result<Signed, Fault> {
        let iso = |ms: i64| Timestamp::from_millis(ms).iso8601();
        let previous = chain.digest.clone();
        let times = |of: fn(&LogFile) -> i64| chain.pending.iter().map(of);
        let digest = Digest {
            aws_account_id: chain.account(trail).to_owned(),
            digest_start_time: from.iso8601(),
            digest_end_time: end.iso8601(),
            bucket: trail.bucket.clone(),
            key: object_key(trail, chain, end),
            fingerprint: key.fingerprint.clone(),
            digest_signature_algorithm: "SHA256withRSA".to_owned(),
            newest_event_time: times(|file| file.newest_ms).max().map(iso),
            oldest_event_time: times(|file| file.oldest_ms).min().map(iso),
            previous_hash_algorithm: previous.as_ref().map(|_| "SHA-256".to_owned()),
            previous_bucket: previous.as_ref().map(|link| link.bucket.clone()),
            previous_key: previous.as_ref().map(|link| link.key.clone()),
            previous_hash: previous.as_ref().map(|link| link.hash.clone()),
            previous_signature: previous.map(|link| link.signature),
            log_files: chain.pending.iter().map(listed).collect(),
        };
        let content = serde_json::to_vec(&digest).map_err(Fault::internal)?;
        let signature = key.sign(&string_to_sign(&digest, &content))?;
        let file = log_file::gzip(&content).map_err(Fault::internal)?;
        let hash = hex(&sha256(&content));
        Ok(Signed {
            link: DigestLink { bucket: digest.bucket, key: digest.key, hash, signature },
            file,
        })
    }

    /// Hands the object over.
    pub(crate) fn deliver<T>(&self, put: impl FnOnce(&Object<'_>) -> T) -> T {
        put(&Object {
            bucket: &self.link.bucket,
            key: &self.link.key,
            content: &self.file,
            metadata: &[
                ("signature", &self.link.signature),
                ("signature-algorithm", "SHA256withRSA"),
            ],
        })
    }
}

fn listed(file: &LogFile) -> Listed {
    Listed {
        bucket: file.bucket.clone(),
        key: file.key.clone(),
        hash_value: file.hash.clone(),
        hash_algorithm: "SHA-256".to_owned(),
        newest_event_time: Timestamp::from_millis(file.newest_ms).iso8601(),
        oldest_event_time: Timestamp::from_millis(file.oldest_ms).iso8601(),
    }
}

fn object_key(trail: &TrailRecord, chain: &ChainRecord, end: Timestamp) -> String {
    let (account, region) = (chain.account(trail), chain.region.as_str());
    let folder = log_file::folder(trail, "CloudTrail-Digest", (account, region), end);
    let TrailRecord { name, home_region, .. } = trail;
    let time = end.basic();
    format!("{folder}/{account}_CloudTrail-Digest_{region}_{name}_{home_region}_{time}.json.gz")
}
