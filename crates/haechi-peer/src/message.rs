//! What peers say to each other: JSON, one message a request, read from any bytes.
//!
//! ```text
//! POST /v1/ping           nothing          ─► nothing: is it there?
//! POST /v1/key-state      KeyState         ─► KeyReport    from the primary key's deployment
//! POST /v1/key-report     KeyReport        ─► nothing      from a replica key's deployment
//! POST /v1/secret-state   SecretState      ─► SecretReport from the primary secret's deployment
//! POST /v1/secret-report  SecretReport     ─► nothing      from a replica secret's deployment
//! ```
//! Fields that a version does not know are passed over, so that peers can be upgraded one by one.

mod limits;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 8 << 20;
/// Generations of material of a key, at most.
pub const MATERIALS_MAX: usize = 512;
/// Bytes of one sealed secret, at most: the longest value of a secret, and what sealing adds.
pub const SEALED_BYTES_MAX: usize = 66 << 10;
/// Versions of a secret, at most.
pub const VERSIONS_MAX: usize = 100;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Whether the peer is there.
    Ping,
    /// What the Regions of a key have in common.
    KeyState,
    /// How it stands with replicas of a key.
    KeyReport,
    /// What a replica of a secret is to be.
    SecretState,
    /// How it stands with a replica of a secret.
    SecretReport,
}

impl Subject {
    const ALL: [Subject; 5] = [
        Subject::Ping,
        Subject::KeyState,
        Subject::KeyReport,
        Subject::SecretState,
        Subject::SecretReport,
    ];

    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Subject::Ping => "/v1/ping",
            Subject::KeyState => "/v1/key-state",
            Subject::KeyReport => "/v1/key-report",
            Subject::SecretState => "/v1/secret-state",
            Subject::SecretReport => "/v1/secret-report",
        }
    }

    /// The subject of a path.
    pub fn of(path: &str) -> Option<Subject> {
        Subject::ALL.into_iter().find(|subject| subject.path() == path)
    }
}

/// What is answered to a message that was taken: JSON.
pub type Answer = Vec<u8>;

/// Why a message was not taken. All are tried again, less and less often: what the operator of the
/// other side mends, or what arrives first, may make it right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct Refusal {
    /// For the log of the other side.
    pub why: String,
}

impl Refusal {
    /// With these words.
    pub fn new(why: impl Into<String>) -> Refusal {
        Refusal { why: why.into() }
    }
}

/// Bytes that were sealed to the peer; base64 in JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Sealed({} bytes)", self.0.len())
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Sealed).map_err(|_| D::Error::custom("not base64"))
    }
}

/// What the Regions of a multi-Region key have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// Whose key.
    pub account: String,
    /// `mrk-…`
    pub key_id: String,
    /// `KeySpec`, `KeyUsage`, `Origin`: of the key for ever.
    pub spec: String,
    /// `KeyUsage`.
    pub usage: String,
    /// `Origin`.
    pub origin: String,
    /// Grows with each change.
    pub version: u64,
    /// The Region of the primary.
    pub primary: String,
    /// The Regions of the replicas.
    pub replicas: BTreeMap<String, KeyReplica>,
    /// Automatic rotation, where it is on.
    pub rotation: Option<KeyRotation>,
    /// Oldest first.
    pub materials: Vec<Material>,
}

impl KeyState {
    /// By which the same state is known again, however its material was sealed: 64 hexadecimal digits.
    ///
    /// # Errors
    /// Never for a message within its limits.
    pub fn digest(&self) -> Result<String, Refusal> {
        let mut bare = self.clone();
        bare.materials.iter_mut().for_each(|material| material.sealed.0.clear());
        bare.replicas.values_mut().for_each(|replica| replica.beginning = None);
        let bytes = serde_json::to_vec(&bare).map_err(|error| Refusal::new(error.to_string()))?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A replica of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyReplica {
    /// The version in which it came to be: a replica that was deleted and made again is another one.
    pub born: u64,
    /// What it begins with, until its deployment has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beginning: Option<Beginning>,
}

/// What a replica begins with; from then on it is its Region's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// `Description`.
    pub description: String,
    /// The key policy.
    pub policy: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was asked for.
    pub created_ms: i64,
}

/// Automatic rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRotation {
    /// Days between two.
    pub period_days: i32,
    /// The next.
    pub next_ms: i64,
}

/// One generation of key material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// `KeyMaterialId`.
    pub id: String,
    /// What ciphertexts bear: 64 hexadecimal digits.
    pub handle: String,
    /// When it was made.
    pub created_ms: i64,
    /// Whether it waits for a rotation to make it current.
    pub pending: bool,
    /// The rotation that made it current.
    pub rotated: Option<MaterialRotation>,
    /// The material; of imported material, its fingerprint.
    pub sealed: Sealed,
}

/// The rotation that made material current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialRotation {
    /// When.
    pub at_ms: i64,
    /// Whether somebody asked for it.
    pub on_demand: bool,
}

/// How it stands with the replicas of a key that a deployment has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyReport {
    /// Whose key.
    pub account: String,
    /// `mrk-…`
    pub key_id: String,
    /// Grows with each report.
    pub report: u64,
    /// By Region.
    pub replicas: BTreeMap<String, ReplicaReport>,
}

/// How it stands with a replica of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaReport {
    /// Which replica it was or is, of those that a Region had.
    pub born: u64,
    /// Whether it was deleted.
    pub gone: bool,
    /// Ids of the material that is there.
    pub present: BTreeSet<String>,
}

/// What a replica of a secret is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretState {
    /// Whose secret.
    pub account: String,
    /// How its storage keys name it.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The six characters at the end of its ARN.
    pub suffix: String,
    /// The Region of the primary.
    pub primary: String,
    /// The Region of the replica.
    pub region: String,
    /// Which replica, of those that the Region had.
    pub born: u64,
    /// Grows with each change.
    pub version: u64,
    /// What it is to be; `None` is removed.
    pub content: Option<SecretContent>,
}

/// The content of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretContent {
    /// The KMS key of the replica.
    pub kms_key_id: Option<String>,
    /// Whether a secret of the same name gives way.
    pub overwrite: bool,
    /// `Description`.
    pub description: Option<String>,
    /// `Type`.
    pub kind: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The resource policy.
    pub policy: Option<String>,
    /// When the secret was made.
    pub created_ms: i64,
    /// When it was changed last.
    pub changed_ms: i64,
    /// When its deletion was asked for.
    pub deleted_ms: Option<i64>,
    /// When it will be gone.
    pub deletion_ms: Option<i64>,
    /// Versions by id.
    pub versions: BTreeMap<String, SecretVersion>,
}

/// A version of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// When it was made.
    pub created_ms: i64,
    /// Its labels.
    pub stages: BTreeSet<String>,
    /// Its value, until the replica has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Sealed>,
    /// Whether the value is no text.
    pub is_binary: bool,
}

/// How it stands with a replica of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretReport {
    /// Whose secret.
    pub account: String,
    /// How its storage keys name it.
    pub key: String,
    /// The Region of the replica.
    pub region: String,
    /// Which replica.
    pub born: u64,
    /// The version that it stands at.
    pub version: u64,
    /// How it stands.
    pub standing: Standing,
}

/// How it stands with a replica of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It says what its primary says.
    InSync,
    /// It cannot follow, and why.
    Failed(String),
    /// It is a replica no more: removed, or a secret of its own.
    Left,
}

/// A message that has limits.
pub trait Message: Serialize + DeserializeOwned {
    /// Whether it keeps them.
    fn is_within_limits(&self) -> bool;
}

/// Reads a message.
///
/// # Errors
/// If it is none, or beyond a limit.
pub fn parse<M: Message>(bytes: &[u8]) -> Result<M, Refusal> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(Refusal::new("the message is too long"));
    }
    let message: M = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::new(format!("the message cannot be read: {error}")))?;
    if message.is_within_limits() {
        Ok(message)
    } else {
        Err(Refusal::new("the message is beyond a limit"))
    }
}

/// Writes a message.
///
/// # Errors
/// If it is beyond a limit, so that no peer would take it.
pub fn write<M: Message>(message: &M) -> Result<Vec<u8>, Refusal> {
    if !message.is_within_limits() {
        return Err(Refusal::new("the message is beyond a limit"));
    }
    serde_json::to_vec(message).map_err(|error| Refusal::new(error.to_string()))
}

#[cfg(test)]
mod tests;
