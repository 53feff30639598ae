//! Checks what trails delivered to a folder: `haechi audit verify`.
//!
//! It finds what `aws cloudtrail validate-logs` finds, and more, because it knows what was
//! delivered last: a digest or a log file that is missing at the end of a chain is found too.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use haechi_core::Ownership;

use crate::delivery::metadata_path;
use crate::digest::{Digest, string_to_sign};
use crate::signing_key::is_signed;
use crate::store::{ChainRecord, SigningKeyRecord};
use crate::{hex, log_file, sha256};

/// What a server's records say about deliveries.
#[derive(Default)]
pub struct Trust {
    /// Public keys by fingerprint.
    keys: BTreeMap<String, Vec<u8>>,
    /// Whose deliveries they are, where several nodes deliver.
    node: Option<String>,
    /// Objects that were delivered last, with their hashes.
    last: Vec<(Object, String)>,
}

/// Bucket and key.
type Object = (String, String);

impl Trust {
    /// Prefixes of the storage keys whose rows are to be added.
    pub const KEYS: &'static str = "/cloudtrail-key/";
    /// As [`Self::KEYS`].
    pub const CHAINS: &'static str = "/cloudtrail-chain/";

    /// Of the deliveries of one node among several.
    #[must_use]
    pub fn of_node(id: &str) -> Trust {
        Trust { node: Some(Ownership::prefix(id)), ..Trust::default() }
    }

    /// Adds a row from under [`Self::KEYS`], opened.
    ///
    /// # Errors
    /// If it is not such a row.
    pub fn add_key(&mut self, row: &[u8]) -> io::Result<()> {
        let record: SigningKeyRecord = ciborium::from_reader(row).map_err(io::Error::other)?;
        self.keys.insert(record.fingerprint, record.public);
        Ok(())
    }

    /// Adds a row from under [`Self::CHAINS`], opened.
    ///
    /// # Errors
    /// If it is not such a row.
    pub fn add_chain(&mut self, row: &[u8]) -> io::Result<()> {
        let record: ChainRecord = ciborium::from_reader(row).map_err(io::Error::other)?;
        if record.node != self.node.as_deref().unwrap_or_default() {
            return Ok(());
        }
        let digests = record.digest.into_iter().map(|link| ((link.bucket, link.key), link.hash));
        let files = record.pending.into_iter().map(|file| ((file.bucket, file.key), file.hash));
        self.last.extend(digests.chain(files));
        Ok(())
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verified {
    /// Digest files read.
    pub digests: u64,
    /// Log files that are named by digests, or wait for theirs.
    pub log_files: u64,
    /// Log files that nothing names: their trail had no log file validation.
    pub unnamed: u64,
    /// All that is wrong; empty for sound deliveries.
    pub findings: Vec<String>,
}

/// Checks every file under `root`.
///
/// # Errors
/// If files cannot be read.
pub fn verify(root: &Path, trust: &Trust) -> io::Result<Verified> {
    let mut verified = Verified::default();
    let mut objects = BTreeSet::new();
    if root.is_dir() {
        collect(root, root, &mut objects)?;
    }
    // What is expected, and the hash of each.
    let mut expected: BTreeMap<Object, String> = trust.last.iter().cloned().collect();
    let is_digest = |object: &Object| object.1.contains("/CloudTrail-Digest/");
    for object in objects.iter().filter(|object| is_digest(object)) {
        verified.digests += 1;
        match digest(root, object, trust) {
            Ok(digest) => {
                for file in digest.log_files {
                    expected.insert((file.bucket, file.key), file.hash_value);
                }
                if let (Some(bucket), Some(key), Some(hash)) =
                    (digest.previous_bucket, digest.previous_key, digest.previous_hash)
                {
                    expected.insert((bucket, key), hash);
                }
            }
            Err(what) => verified.findings.push(told(object, &what)),
        }
    }
    for (object, hash) in &expected {
        verified.log_files += u64::from(!is_digest(object));
        if !objects.contains(object) {
            verified.findings.push(told(object, "is missing"));
            continue;
        }
        let content = read(root, object);
        let same = content.is_ok_and(|content| hex(&sha256(&content)) == *hash);
        let finding = told(object, "was changed");
        if !same && !verified.findings.iter().any(|known| known.starts_with(&told(object, ""))) {
            verified.findings.push(finding);
        }
    }
    let unnamed = |object: &&Object| !is_digest(object) && !expected.contains_key(*object);
    verified.unnamed = objects.iter().filter(unnamed).count() as u64;
    Ok(verified)
}

fn told(object: &Object, what: &str) -> String {
    format!("s3://{}/{}: {what}", object.0, object.1)
}

/// A digest whose signature is right.
fn digest(root: &Path, object: &Object, trust: &Trust) -> Result<Digest, String> {
    let content = read(root, object).map_err(|error| format!("cannot be read: {error}"))?;
    let digest: Digest =
        serde_json::from_slice(&content).map_err(|error| format!("is no digest: {error}"))?;
    if (&digest.bucket, &digest.key) != (&object.0, &object.1) {
        return Err("was moved from its place".to_owned());
    }
    let Some(public) = trust.keys.get(&digest.fingerprint) else {
        return Err(format!("is signed by an unknown key, {}", digest.fingerprint));
    };
    let path = metadata_path(&root.join(&object.0).join(&object.1));
    let metadata = std::fs::read_to_string(path).unwrap_or_default();
    let signature = metadata.lines().find_map(|line| line.strip_prefix("signature: "));
    let text = string_to_sign(&digest, &content);
    if is_signed(public, &text, signature.unwrap_or_default()) {
        Ok(digest)
    } else {
        Err("signature verification failed".to_owned())
    }
}

fn read(root: &Path, object: &Object) -> io::Result<Vec<u8>> {
    log_file::gunzip(&std::fs::read(root.join(&object.0).join(&object.1))?)
}

/// Adds every delivered object under `folder`.
fn collect(root: &Path, folder: &Path, objects: &mut BTreeSet<Object>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(root, &path, objects)?;
            continue;
        }
        let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) else { continue };
        if let Some((bucket, key)) = name.split_once('/').filter(|_| name.ends_with(".json.gz")) {
            objects.insert((bucket.to_owned(), key.to_owned()));
        }
    }
    Ok(())
}
