//! Other deployments: their cards.

use std::collections::BTreeSet;

use haechi_core::AccountId;
use haechi_peer::Card;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Failure;
use crate::installation::Installation;
use crate::operator::{Ask, Told};
use crate::peering::{self, OwnRecord, PeerRecord};

/// The card of this deployment.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerCard {}

impl Ask for PeerCard {
    const NAME: &'static str = "peer.card";
    type Answer = Card;

    async fn answer(self, installation: &Installation) -> Result<Card, Failure> {
        OwnRecord::card(&installation.stack.database).await
    }
}

/// Knows another deployment from now on.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerAdd {
    /// Its card.
    pub card: Card,
    /// Accounts that it may share something of; `None` is all.
    pub accounts: Option<BTreeSet<String>>,
}

impl Ask for PeerAdd {
    const NAME: &'static str = "peer.add";
    type Answer = ();

    fn told(&self) -> Option<Told> {
        let Card { id, name, .. } = &self.card;
        let accounts = &self.accounts;
        Some(Told::installation(json!({ "id": id, "name": name, "accounts": accounts })))
    }

    async fn answer(self, installation: &Installation) -> Result<(), Failure> {
        let card = Card::parse(&self.card.text()?)?;
        let mut accounts = self.accounts.iter().flatten();
        if let Some(wrong) = accounts.find(|account| AccountId::parse(account).is_none()) {
            return Err(format!("{wrong} is no account: an account has 12 digits").into());
        }
        PeerRecord::add(&installation.stack.database, &card, self.accounts).await?;
        reload(installation).await
    }
}

/// Knows another deployment no more.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerRemove {
    /// Its name.
    pub name: String,
}

impl Ask for PeerRemove {
    const NAME: &'static str = "peer.remove";
    type Answer = ();

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({ "name": self.name })))
    }

    async fn answer(self, installation: &Installation) -> Result<(), Failure> {
        PeerRecord::remove(&installation.stack.database, &self.name).await?;
        reload(installation).await
    }
}

/// Lists other deployments.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerList {}

/// One of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerLine {
    /// Its card.
    pub card: Card,
    /// Accounts that it may share something of; `None` is all.
    pub accounts: Option<BTreeSet<String>>,
    /// Whether it answered, when it was asked last by a server that runs.
    pub answers: Option<bool>,
}

impl Ask for PeerList {
    const NAME: &'static str = "peer.list";
    type Answer = Vec<PeerLine>;

    async fn answer(self, installation: &Installation) -> Result<Vec<PeerLine>, Failure> {
        let Installation { stack, env, .. } = installation;
        let mut lines = Vec::new();
        for (card, record) in PeerRecord::list(&stack.database).await? {
            let answers = match &stack.peers {
                None => None,
                Some(peers) => {
                    let ping = haechi_peer::Subject::Ping;
                    let asked = peers.send(&card.id, ping, Vec::new(), env.now().millis()).await;
                    Some(asked.is_ok())
                }
            };
            lines.push(PeerLine { card, accounts: record.accounts, answers });
        }
        Ok(lines)
    }
}

/// Lets a server that runs know what has changed.
async fn reload(installation: &Installation) -> Result<(), Failure> {
    let stack = &installation.stack;
    if let Some(peers) = &stack.peers {
        peering::reload(peers, &stack.database).await?;
        stack.jobs.wake();
    }
    Ok(())
}
