//! Which keys of this KMS another one may use, under which path, with which credentials.
//!
//! ```text
//! /xks/<hidden path prefix>      Exposure
//! ```
//! The row is sealed as every row. Several credentials count at a time, so that one can be exchanged
//! without a pause.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Database, Env, Path, Record};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Failure;

/// Characters of an access key id: AWS takes 20 to 30 of these.
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ID_LENGTH: usize = 24;
/// Of a secret: AWS takes 43 to 64 of these (and of `/+=`); 44 are 261 bits.
const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_LENGTH: usize = 44;

/// Credentials of one path prefix, at most.
const CREDENTIALS_MAX: usize = 4;

/// What another KMS may use.
#[derive(Clone, Serialize, Deserialize)]
pub struct Exposure {
    /// `/…`
    pub prefix: String,
    /// Whose keys.
    pub account: String,
    /// In which Region.
    pub region: String,
    /// The keys; `None` is every key of the account in the Region.
    pub keys: Option<Vec<ExposedKey>>,
    /// What the other KMS signs with.
    pub credentials: Vec<Credential>,
    /// Fields of the future.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A key that another KMS may use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExposedKey {
    /// Its id.
    pub id: String,
    /// Whether it may encrypt.
    pub encrypts: bool,
    /// Whether it may decrypt.
    pub decrypts: bool,
}

/// A credential.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Names it.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: Zeroizing<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

impl Record for Exposure {}

impl std::str::FromStr for ExposedKey {
    type Err = String;

    /// `<key id>`, `<key id>:encrypt` or `<key id>:decrypt`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (id, only) = text.split_once(':').map_or((text, None), |(id, only)| (id, Some(only)));
        if !haechi_xks::api::is_key_id(id) {
            return Err(format!("`{id}` is no key id"));
        }
        let (encrypts, decrypts) = match only {
            None => (true, true),
            Some("encrypt") => (true, false),
            Some("decrypt") => (false, true),
            Some(other) => return Err(format!("a key can `encrypt` or `decrypt`, not `{other}`")),
        };
        Ok(ExposedKey { id: id.to_owned(), encrypts, decrypts })
    }
}

impl Credential {
    /// A fresh one.
    fn generate(env: &Env) -> Result<Credential, Failure> {
        Ok(Credential {
            access_key_id: env.characters(ID_ALPHABET, ID_LENGTH)?,
            secret_access_key: Zeroizing::new(env.characters(SECRET_ALPHABET, SECRET_LENGTH)?),
            created_ms: env.now().millis(),
        })
    }
}

fn all() -> Path {
    Path::new("xks")
}

/// The row of a prefix.
pub fn path(prefix: &str) -> Path {
    all().hidden(prefix)
}

impl Exposure {
    /// Stores a new one, with its first credential.
    ///
    /// # Errors
    /// If the prefix is taken or no prefix, or the store fails.
    pub async fn create(mut self, database: &Database, env: &Env) -> Result<Credential, Failure> {
        if self.prefix.is_empty() || !haechi_xks::api::is_prefix(&self.prefix) {
            let prefix = &self.prefix;
            return Err(format!("`{prefix}` is no path prefix: one is /… of letters, digits, /, - and _, 117 characters at most").into());
        }
        let credential = Credential::generate(env)?;
        self.credentials = vec![credential.clone()];
        let mut batch = Batch::new();
        batch.create(path(&self.prefix), &self);
        match database.commit(batch).await {
            Err(Fault::Conflict) => Err(format!("{} is there already", self.prefix).into()),
            other => Ok(other.map(|()| credential)?),
        }
    }

    /// All of them.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn list(database: &Database) -> Result<Vec<Exposure>, Failure> {
        let rows = database.list_all::<Exposure>(&all()).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// Changes the one of a prefix; `None` from `change` deletes it.
    ///
    /// # Errors
    /// If there is none, `change` fails, or the store does.
    pub async fn change<T>(
        database: &Database,
        prefix: &str,
        change: impl FnOnce(Exposure) -> Result<(Option<Exposure>, T), Failure>,
    ) -> Result<T, Failure> {
        let row = database.load::<Exposure>(&path(prefix)).await?;
        let row = row.ok_or_else(|| format!("there is no {prefix}: haechi xks list"))?;
        let (changed, answer) = change(row.value.clone())?;
        let mut batch = Batch::new();
        match changed {
            Some(changed) => batch.replace(&row, &changed),
            None => batch.remove(&row),
        }
        database.commit(batch).await?;
        Ok(answer)
    }

    /// Adds a credential.
    ///
    /// # Errors
    /// If there are too many, or randomness fails.
    pub fn add_credential(mut self, env: &Env) -> Result<(Option<Exposure>, Credential), Failure> {
        if self.credentials.len() >= CREDENTIALS_MAX {
            return Err(
                format!("{} has {CREDENTIALS_MAX} credentials: delete one", self.prefix).into()
            );
        }
        let credential = Credential::generate(env)?;
        self.credentials.push(credential.clone());
        Ok((Some(self), credential))
    }

    /// Removes a credential.
    ///
    /// # Errors
    /// If it is not there.
    pub fn remove_credential(mut self, id: &str) -> Result<(Option<Exposure>, ()), Failure> {
        let before = self.credentials.len();
        self.credentials.retain(|credential| credential.access_key_id != id);
        if self.credentials.len() == before {
            return Err(format!("{} has no credential {id}", self.prefix).into());
        }
        Ok((Some(self), ()))
    }

    /// What another KMS may do with a key; `None`: it may not know of it.
    pub fn key(&self, id: &str) -> Option<ExposedKey> {
        match &self.keys {
            None => Some(ExposedKey { id: id.to_owned(), encrypts: true, decrypts: true }),
            Some(keys) => keys.iter().find(|key| key.id == id).cloned(),
        }
    }
}
