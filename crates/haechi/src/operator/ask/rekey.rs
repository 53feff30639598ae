//! The root key changed, and the kind of its seal with it, while everything goes on.
//!
//! In two steps, because shares must be in their holders' hands before anything depends on them:
//! [`RekeyPrepare`] makes the new root key, [`RekeyCommit`] makes it count.

use std::path::PathBuf;

use haechi_crypto::seal::{Argon2idCost, SealRequest, create, create_shared};
use haechi_crypto::{SealConfig, SecretVec};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use crate::Failure;
use crate::installation::Installation;
use crate::keeper::{Changed, Keeper, NewRoot, finish_change, refuse_two_changes};
use crate::operator::order::SealStatus;
use crate::operator::{Ask, Told};

/// How the new root key is to be kept. (Externally tagged: serde would copy secrets otherwise.)
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewSeal {
    /// In a file of its own.
    File,
    /// Wrapped under this.
    Passphrase(Zeroizing<String>),
    /// Wrapped by a token.
    Pkcs11 {
        /// The vendor's library; absolute.
        module: PathBuf,
        /// The token's label.
        token: String,
        /// The key's label.
        key: String,
        /// The token's PIN.
        pin: Zeroizing<String>,
    },
    /// Split among people.
    Shamir {
        /// How many get a share.
        shares: u8,
        /// How many it takes.
        threshold: u8,
    },
}

/// Makes a new root key; another that was prepared before is forgotten. Nothing is sealed under it
/// yet. `None` only forgets.
#[derive(Serialize, Deserialize)]
pub struct RekeyPrepare {
    /// Its seal.
    pub seal: Option<NewSeal>,
}

/// A root key that was prepared.
#[derive(Serialize, Deserialize)]
pub struct Prepared {
    /// Its seal.
    pub seal: Option<SealStatus>,
    /// Its shares, where it is split: shown now and never again.
    pub shares: Vec<Zeroizing<String>>,
}

/// Makes the prepared root key count.
#[derive(Debug, Serialize, Deserialize)]
pub struct RekeyCommit {}

/// A root key that counts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rekeyed {
    /// The file of the old root key, where it lies in one: backups made until now need it.
    pub old_root_key: Option<PathBuf>,
    /// The file of the new one, likewise.
    pub new_root_key: Option<PathBuf>,
    /// Nodes that have not gone over to it, and where they are.
    #[serde(default)]
    pub behind: Vec<String>,
}

/// Goes over to the root key that another node has changed to.
#[derive(Serialize, Deserialize)]
pub struct RekeyAdopt {
    /// Where its `seal.json` lies, and the file of the root key, if it lies in one; absolute.
    pub folder: PathBuf,
    /// The passphrase or PIN, or the shares, a line each.
    pub secret: Option<Zeroizing<String>>,
}

/// Ends a change although nodes that do not run have not made it.
#[derive(Debug, Serialize, Deserialize)]
pub struct RekeyFinish {}

fn keeper(installation: &Installation) -> Result<&Keeper, Failure> {
    installation.keeper.as_ref().ok_or_else(|| "what is in memory only has no seal".into())
}

impl Ask for RekeyPrepare {
    const NAME: &'static str = "rekey.prepare";
    type Answer = Prepared;

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({ "newSeal": self.seal.is_some() })))
    }

    async fn answer(self, installation: &Installation) -> Result<Prepared, Failure> {
        let keeper = keeper(installation)?;
        keeper.prepare(None).await;
        let Some(new) = self.seal else { return Ok(Prepared { seal: None, shares: Vec::new() }) };
        // Before anything is made, or shown to anybody.
        refuse_two_changes(&installation.stack.database, own(installation)).await?;
        let (before, data) = (keeper.seal().await, keeper.path().to_owned());
        let random = std::sync::Arc::clone(&installation.env.random);
        // A passphrase takes a while to stretch, and a token to answer.
        let made =
            tokio::task::spawn_blocking(move || make(new, &before, &data, &*random)).await??;
        let (seal, root, shares) = made;
        let status = SealStatus::new(&seal, None);
        keeper.prepare(Some(NewRoot { seal, root })).await;
        Ok(Prepared { seal: Some(status), shares })
    }
}

type Made = (SealConfig, haechi_crypto::RootKey, Vec<Zeroizing<String>>);

fn make(
    new: NewSeal,
    before: &SealConfig,
    data: &std::path::Path,
    random: &dyn haechi_crypto::Random,
) -> Result<Made, Failure> {
    let secret = |text: Zeroizing<String>| SecretVec::copy_from(text.as_bytes());
    let request = match new {
        NewSeal::Shamir { shares, threshold } => {
            let (seal, root, shares) = create_shared(shares, threshold, Some(before), random)?;
            let text = |share: SecretVec| String::from_utf8(share.into_inner()).map(Zeroizing::new);
            let shares = shares.into_iter().map(text).collect::<Result<_, _>>()?;
            return Ok((seal, root, shares));
        }
        NewSeal::File => {
            // A name that no file has: what lies there would be taken for the root key.
            let mut name = [0; 4];
            random.fill(&mut name)?;
            let name = format!("root-{:08x}.key", u32::from_be_bytes(name));
            SealRequest::File { path: name.into() }
        }
        NewSeal::Passphrase(passphrase) => SealRequest::Passphrase {
            passphrase: secret(passphrase),
            cost: Argon2idCost::default(),
        },
        NewSeal::Pkcs11 { module, token, key, pin } => {
            SealRequest::Pkcs11 { module, token_label: token, key_label: key, pin: secret(pin) }
        }
    };
    let (seal, root) = create(&request, data, random)?;
    Ok((seal, root, Vec::new()))
}

impl Ask for RekeyCommit {
    const NAME: &'static str = "rekey.commit";
    type Answer = Rekeyed;

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({})))
    }

    async fn answer(self, installation: &Installation) -> Result<Rekeyed, Failure> {
        let (keeper, database) = (keeper(installation)?, &installation.stack.database);
        let among = (&**database, own(installation));
        let changed = keeper.commit(among, &installation.env, &|_| Ok(())).await?;
        Ok(rekeyed(keeper, changed).await)
    }
}

/// The id of this node among others.
fn own(installation: &Installation) -> Option<&str> {
    installation.cluster.as_ref().map(|cluster| cluster.id())
}

async fn rekeyed(keeper: &Keeper, changed: Changed) -> Rekeyed {
    let Changed { old_root_key, behind } = changed;
    let new_root_key = crate::keeper::root_key_file(keeper.path(), &keeper.seal().await);
    let behind = behind.iter().map(|node| format!("{} at {}", node.id, node.address)).collect();
    Rekeyed { old_root_key, new_root_key, behind }
}

impl Ask for RekeyAdopt {
    const NAME: &'static str = "rekey.adopt";
    type Answer = Rekeyed;

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({})))
    }

    async fn answer(self, installation: &Installation) -> Result<Rekeyed, Failure> {
        let (keeper, database) = (keeper(installation)?, &installation.stack.database);
        let secret = self.secret.map(|text| SecretVec::copy_from(text.as_bytes()));
        let among = (&**database, own(installation));
        let changed = keeper.adopt(among, &installation.env, &self.folder, secret.as_ref()).await?;
        Ok(rekeyed(keeper, changed).await)
    }
}

impl Ask for RekeyFinish {
    const NAME: &'static str = "rekey.finish";
    type Answer = ();

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({})))
    }

    async fn answer(self, installation: &Installation) -> Result<(), Failure> {
        finish_change(&installation.stack.database, own(installation)).await
    }
}
