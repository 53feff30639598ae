//! What is asked of a server itself, sealed or not.

use haechi_crypto::seal::SealMethod;
use haechi_crypto::{SealConfig, SecretVec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Door;
use super::wire::{self, Line};
use crate::Failure;

/// Something that the operator asks of a server. There is no doing it without one.
pub trait Order: Serialize + DeserializeOwned {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned;

    /// Does it.
    ///
    /// # Errors
    /// Why not.
    fn answer(self, door: &Door) -> Result<Self::Answer, Failure>;
}

/// How it stands with the server.
#[derive(Debug, Serialize, Deserialize)]
pub struct StatusOrder {}

/// Gives one share.
#[derive(Serialize, Deserialize)]
pub struct UnsealOrder {
    /// As it was printed.
    pub share: Zeroizing<String>,
}

/// Has the keys dropped: the server is sealed again.
#[derive(Debug, Serialize, Deserialize)]
pub struct SealOrder {}

/// How it stands with a server.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Of haechi.
    pub version: String,
    /// The server's process, where there is one.
    pub process: Option<u32>,
    /// What it does.
    pub state: ServerState,
    /// How the root key is kept.
    pub seal: Option<SealStatus>,
}

/// What a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// No server runs.
    Stopped,
    /// It comes up, or goes down.
    Starting,
    /// It waits for shares.
    Sealed,
    /// It serves.
    Serving,
}

/// How a root key is kept.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealStatus {
    /// `file`, `passphrase`, `pkcs11`, `shamir`.
    pub kind: String,
    /// Which installation the shares are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
    /// How many shares there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<usize>,
    /// How many of them are needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<usize>,
    /// How many a sealed server was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<usize>,
}

impl SealStatus {
    /// Of a seal.
    pub fn new(seal: &SealConfig, given: Option<usize>) -> SealStatus {
        let kind = |kind: &str| SealStatus {
            kind: kind.to_owned(),
            installation: None,
            shares: None,
            threshold: None,
            given: None,
        };
        match seal.method() {
            SealMethod::File { .. } => kind("file"),
            SealMethod::Passphrase(_) => kind("passphrase"),
            SealMethod::Pkcs11(_) => kind("pkcs11"),
            SealMethod::Shamir(shamir) => SealStatus {
                installation: Some(shamir.installation().to_string()),
                shares: Some(shamir.shares()),
                threshold: Some(shamir.threshold()),
                given,
                ..kind("shamir")
            },
            _ => kind("unknown"),
        }
    }
}

impl Order for StatusOrder {
    const NAME: &'static str = "operator.status";
    type Answer = Status;

    fn answer(self, door: &Door) -> Result<Status, Failure> {
        door.status()
    }
}

impl Order for UnsealOrder {
    const NAME: &'static str = "operator.unseal";
    type Answer = Status;

    fn answer(self, door: &Door) -> Result<Status, Failure> {
        door.unseal(&SecretVec::copy_from(self.share.as_bytes()))?;
        door.status()
    }
}

impl Order for SealOrder {
    const NAME: &'static str = "operator.seal";
    type Answer = Status;

    fn answer(self, door: &Door) -> Result<Status, Failure> {
        door.seal()?;
        door.status()
    }
}

/// Does an order; `None` if there is none of this name.
pub(super) fn answer(name: &str, input: &[u8], door: &Door) -> Option<Result<Line, Failure>> {
    Some(match name {
        StatusOrder::NAME => run::<StatusOrder>(input, door),
        UnsealOrder::NAME => run::<UnsealOrder>(input, door),
        SealOrder::NAME => run::<SealOrder>(input, door),
        _ => return None,
    })
}

fn run<O: Order>(input: &[u8], door: &Door) -> Result<Line, Failure> {
    let order: O = wire::value(input)?;
    wire::line(&order.answer(door)?)
}
