//! This deployment's identity, and the cards of others.
//!
//! ```text
//! /peering/own                OwnRecord
//! /peering/peer/<id>          PeerRecord
//! ```

use std::collections::BTreeSet;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Database, Env, Path, Record};
use haechi_peer::identity::{StoredIdentity, Validity};
use haechi_peer::{Card, Peer};
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// Validity of the certificate: ten years. It is pinned, so that a new one is a new peering.
const VALID_DAYS: i64 = 3650;

/// What this deployment is to others.
#[derive(Clone, Serialize, Deserialize)]
pub struct OwnRecord {
    /// Certificate and keys.
    pub identity: StoredIdentity,
    /// The card, as the last start made it.
    pub card: Option<String>,
    /// Fields of the future.
    #[serde(flatten)]
    unknown: Unknown,
}

/// Another deployment, as its card tells.
#[derive(Clone, Serialize, Deserialize)]
pub struct PeerRecord {
    /// The card.
    pub card: String,
    /// Accounts that it may share something of; `None` is all.
    pub accounts: Option<BTreeSet<String>>,
    /// Fields of the future.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Record for OwnRecord {}
impl Record for PeerRecord {}

fn own_path() -> Path {
    Path::new("peering").part("own")
}

fn peers_path() -> Path {
    Path::new("peering").part("peer")
}

fn date(time: Timestamp) -> Result<(i32, u8, u8), Failure> {
    let date =
        jiff::Timestamp::from_second(time.seconds())?.to_zoned(jiff::tz::TimeZone::UTC).date();
    Ok((i32::from(date.year()), u8::try_from(date.month())?, u8::try_from(date.day())?))
}

impl OwnRecord {
    /// The identity of this deployment, made when first needed.
    ///
    /// # Errors
    /// If the store or randomness fails.
    pub async fn load_or_create(database: &Database, env: &Env) -> Result<OwnRecord, Failure> {
        if let Some(stored) = database.load::<OwnRecord>(&own_path()).await? {
            return Ok(stored.value);
        }
        let now = env.now();
        let until = now.plus_seconds(VALID_DAYS * 24 * 3600);
        let validity = Validity { from: date(now.plus_seconds(-24 * 3600))?, until: date(until)? };
        let identity = StoredIdentity::generate(&*env.random, validity)?;
        let record = OwnRecord { identity, card: None, unknown: Unknown::new() };
        let mut batch = Batch::new();
        batch.create(own_path(), &record);
        database.commit(batch).await?;
        Ok(record)
    }

    /// Keeps the card for `haechi peer card`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_card(mut self, database: &Database, card: &Card) -> Result<(), Failure> {
        let text = Some(card.text()?);
        if self.card == text {
            return Ok(());
        }
        self.card = text;
        let mut batch = Batch::new();
        batch.put(own_path(), &self);
        Ok(database.commit(batch).await?)
    }

    /// The card of this deployment.
    ///
    /// # Errors
    /// If it never served with `[peering]`, or the store fails.
    pub async fn card(database: &Database) -> Result<Card, Failure> {
        let stored = database.load::<OwnRecord>(&own_path()).await?;
        match stored.and_then(|stored| stored.value.card) {
            Some(text) => Ok(Card::parse(&text)?),
            None => Err("this deployment has no card yet: put [regions] and [peering] into the configuration file and start haechi serve".into()),
        }
    }
}

impl PeerRecord {
    /// All peers.
    ///
    /// # Errors
    /// If the store fails, or a card is damaged.
    pub async fn list(database: &Database) -> Result<Vec<(Card, PeerRecord)>, Failure> {
        let rows = database.list_all::<PeerRecord>(&peers_path()).await?;
        let read = |record: PeerRecord| Ok((Card::parse(&record.card)?, record));
        rows.into_iter().map(|row| read(row.value)).collect()
    }

    /// All peers, ready; those that claim a Region of this deployment are left out.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn known(
        database: &Database,
        local: &BTreeSet<String>,
    ) -> Result<Vec<Peer>, Failure> {
        let mut peers = Vec::new();
        for (card, record) in Self::list(database).await? {
            if !card.regions.is_disjoint(local) {
                tracing::error!(
                    peer = card.name,
                    "a peer claims a Region that is served here: it is left out until one of the two configurations is mended"
                );
                continue;
            }
            peers.push(Peer::new(card, record.accounts)?);
        }
        Ok(peers)
    }

    /// Adds a peer, or what has changed on the card of a known one.
    ///
    /// # Errors
    /// If its card contradicts one that is known, or the store fails.
    pub async fn add(
        database: &Database,
        card: &Card,
        accounts: Option<BTreeSet<String>>,
    ) -> Result<(), Failure> {
        if let Ok(own) = OwnRecord::card(database).await {
            if own.id == card.id {
                return Err("this is the card of this very deployment".into());
            }
            if let Some(both) = own.regions.intersection(&card.regions).next() {
                return Err(format!(
                    "{} says that it serves {both}, which is served here",
                    card.name
                )
                .into());
            }
        }
        for (known, _) in Self::list(database).await? {
            if known.id == card.id {
                if !known.is_of_same_deployment(card) {
                    return Err(format!("{} is known with other keys: haechi peer remove {} first, if that is right", card.name, known.name).into());
                }
                continue;
            }
            if known.name == card.name {
                return Err(format!("another peer is called {} already", card.name).into());
            }
            if let Some(both) = known.regions.intersection(&card.regions).next() {
                return Err(format!(
                    "{} and {} both say that they serve {both}",
                    known.name, card.name
                )
                .into());
            }
        }
        let record = PeerRecord { card: card.text()?, accounts, unknown: Unknown::new() };
        let mut batch = Batch::new();
        batch.put(peers_path().part(&card.id), &record);
        Ok(database.commit(batch).await?)
    }

    /// Removes the peer with a name.
    ///
    /// # Errors
    /// If there is none, or the store fails.
    pub async fn remove(database: &Database, name: &str) -> Result<(), Failure> {
        let all = Self::list(database).await?;
        let Some((card, _)) = all.iter().find(|(card, _)| card.name == name) else {
            return Err(format!("there is no peer {name}: haechi peer list").into());
        };
        let mut batch = Batch::new();
        batch.delete(peers_path().part(&card.id));
        Ok(database.commit(batch).await?)
    }
}
