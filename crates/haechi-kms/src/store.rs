//! Rows, and keys made ready from them.
//!
//! ```text
//! /kms/<account>/<region>/key/<key id>      KeyRecord: state, policy, tags, wrapped material,
//!                                           names of its aliases; long text of multi-Region
//!                                           keys lies beside it (`key_text.rs`)
//! /kms/<account>/<region>/alias/<hidden>    AliasRecord: which key
//! /kms-handle/<64 hex digits>               HandleRecord: which key a ciphertext was made with
//! ```
//! A key's aliases stand in its own row too: they are a condition key (`kms:ResourceAliases`),
//! limited in number, and go when the key goes. Both rows change in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use haechi_core::database::Unknown;
use haechi_core::{
    Batch, Cx, Database, Job, Path, Permit, PrincipalIds, Record, Resource, Unchecked,
};
use haechi_crypto::{KeyMaterial, Keyring, MaterialHandle};
use haechi_kms_model::Error;
use haechi_policy::Document;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::custom_key_store::BackingKey;
use crate::grant::Grants;
use crate::identifier::{Identifier, arn};
use crate::import_token::UsedToken;
use crate::key::{Refusal, State, Transition, Use};
use crate::key_text::{self, Aside};
use crate::material::MaterialRecord;
use crate::multi_region::MultiRegion;
use crate::rotation::Rotation;
use crate::{Kms, alias, authz};

/// A key as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) description: String,
    /// `KeySpec`, `KeyUsage`, `Origin` as AWS writes them; the material is bound to them.
    pub(crate) spec: String,
    pub(crate) usage: String,
    pub(crate) origin: String,
    pub(crate) state: State,
    pub(crate) created_ms: i64,
    /// When it goes; only while pending deletion.
    pub(crate) deletion_ms: Option<i64>,
    /// As the caller wrote it.
    pub(crate) policy: String,
    /// Unique ids of the users and roles that the policy named when it was put.
    #[serde(default)]
    pub(crate) policy_principals: PrincipalIds,
    pub(crate) tags: BTreeMap<String, String>,
    /// Names of its aliases, `alias/…`.
    pub(crate) aliases: BTreeSet<String>,
    /// Oldest first; the last one that does not wait for a rotation encrypts.
    pub(crate) materials: Vec<MaterialRecord>,
    /// Of a key that rotates by itself.
    #[serde(default)]
    pub(crate) rotation: Option<Rotation>,
    /// Of a multi-Region key; the same in the row of each of its Regions.
    #[serde(default)]
    pub(crate) multi_region: Option<MultiRegion>,
    /// `PendingWindowInDays` of a primary key that waits for the deletion of its replicas.
    #[serde(default)]
    pub(crate) deletion_window_days: Option<i32>,
    /// Tokens of imports that were used.
    #[serde(default)]
    pub(crate) used_import_tokens: Vec<UsedToken>,
    /// Of a key in a custom key store.
    #[serde(default)]
    pub(crate) custom_key_store: Option<BackingKey>,
    /// Where its text is: a row that is read alone may lack policy, principals, tags, aliases and
    /// description (`key_text.rs`).
    #[serde(default, skip_serializing_if = "Aside::is_unused")]
    pub(crate) aside: Aside,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// An alias as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    pub(crate) name: String,
    pub(crate) key_id: String,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Which key made the ciphertexts that bear a handle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HandleRecord {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) key_id: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl HandleRecord {
    /// The one of any material of a key.
    pub(crate) fn of(key: &KeyRecord) -> HandleRecord {
        let (account, region) = (key.account.clone(), key.region.clone());
        HandleRecord { account, region, key_id: key.id.clone(), unknown: Unknown::new() }
    }
}

impl Record for KeyRecord {}
impl Record for AliasRecord {}
impl Record for HandleRecord {}

pub(crate) fn root(account: &str, region: &str, kind: &str) -> Path {
    Path::new("kms").part(account).part(region).part(kind)
}

/// All keys of an account in a Region.
pub(crate) fn keys_path(account: &str, region: &str) -> Path {
    root(account, region, "key")
}

pub(crate) fn key_path(account: &str, region: &str, id: &str) -> Path {
    keys_path(account, region).part(id)
}

/// All aliases of an account in a Region.
pub(crate) fn aliases_path(account: &str, region: &str) -> Path {
    root(account, region, "alias")
}

pub(crate) fn alias_path(account: &str, region: &str, name: &str) -> Path {
    aliases_path(account, region).hidden(name)
}

pub(crate) fn handle_path(handle: &MaterialHandle) -> Path {
    Path::new("kms-handle").part(&hex(handle.as_bytes()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

impl KeyRecord {
    pub(crate) fn path(&self) -> Path {
        key_path(&self.account, &self.region, &self.id)
    }

    /// Whether its date has passed: from then on it is as good as deleted, whether the job that
    /// clears it away has begun, was cut off or is still to come.
    pub(crate) fn is_gone(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.state == State::PendingDeletion
            && self.deletion_ms.is_some_and(|due_ms| due_ms <= now().millis())
    }

    /// Moves the key to another state.
    pub(crate) fn transit(&mut self, transition: Transition) -> Result<(), Error> {
        self.state = self.state.after(transition).map_err(|refusal| refusal.of(&self.arn))?;
        // A key that was to be deleted may have lost its material meanwhile.
        if transition == Transition::CancelDeletion && self.lacks_material() {
            self.state = State::PendingImport;
        }
        Ok(())
    }

    /// Whether imported material of it is not there. What waits for a rotation is not yet its own.
    pub(crate) fn lacks_material(&self) -> bool {
        let mut own = self.materials.iter().filter(|row| !row.pending).peekable();
        own.peek().is_none() || own.any(|row| !row.is_present())
    }

    /// The job that deletes it, while one waits.
    pub(crate) fn deletion_job(&self) -> Option<Job> {
        let due = Timestamp::from_millis(self.deletion_ms?);
        let payload = format!("{}/{}/{}", self.account, self.region, self.id);
        // Keys of several Regions have one id, and may go at one time.
        let id = match self.multi_region {
            Some(_) => format!("{}-{}", self.region, self.id),
            None => self.id.clone(),
        };
        Some(Job::new(crate::jobs::DELETE_KEY, &id, due, payload))
    }
}

/// A key made ready: policy compiled, material unwrapped once used. Cached until its row is
/// written.
pub(crate) struct Key {
    pub(crate) record: KeyRecord,
    pub(crate) policy: Arc<Document>,
    pub(crate) keyring: Arc<Keyring>,
    /// One for each material of the record; only `material.rs` looks in.
    pub(crate) secrets: Vec<OnceLock<KeyMaterial>>,
}

impl Key {
    fn build(database: &Database, record: KeyRecord) -> Result<Key, Fault> {
        let policy = record.policy_principals.compile(&record.policy)?;
        let secrets = record.materials.iter().map(|_| OnceLock::new()).collect();
        Ok(Key { record, policy, keyring: database.keyring(), secrets })
    }

    pub(crate) fn arn(&self) -> &str {
        &self.record.arn
    }

    /// Whether its state serves `purpose`.
    pub(crate) fn admit(&self, purpose: Use) -> Result<(), Error> {
        self.record.state.admit(purpose).map_err(|refusal: Refusal| refusal.of(self.arn()))
    }

    /// Notes it for the audit record of the call.
    pub(crate) fn note(&self, cx: &Cx) {
        let (arn, account) = (self.record.arn.clone(), self.record.account.clone());
        cx.note(Resource { arn, account, kind: "AWS::KMS::Key" });
    }
}

impl AsRef<Key> for Key {
    fn as_ref(&self) -> &Key {
        self
    }
}

/// A key that is about to be changed, as it was read for that.
pub(crate) struct Draft {
    key: Key,
    read: key_text::Read,
}

impl AsRef<Key> for Draft {
    fn as_ref(&self) -> &Key {
        &self.key
    }
}

impl Draft {
    /// The record, to be changed.
    pub(crate) fn record(&mut self) -> &mut KeyRecord {
        &mut self.key.record
    }

    /// Moves the key to another state.
    pub(crate) fn transit(&mut self, transition: Transition) -> Result<(), Error> {
        self.key.record.transit(transition)
    }

    /// Adds the change to a batch.
    pub(crate) fn save(&self, _: &Permit, batch: &mut Batch) {
        self.read.replace(&self.key.record, batch);
    }
}

/// How the caller named a key.
pub(crate) enum Named {
    /// By id or ARN.
    Id,
    /// By an alias, `alias/…`.
    Alias(String),
    /// By a ciphertext that it made.
    Ciphertext,
}

/// A key, and how it was named.
pub(crate) struct Found<K> {
    pub(crate) key: K,
    pub(crate) named: Named,
    /// Its grants, where the operation is one that grants can give.
    pub(crate) grants: Option<Arc<Grants>>,
}

impl Kms {
    /// The key that `text` names, in any account, by id or alias; for the call's own action.
    pub(crate) async fn key(
        &self,
        cx: &Cx,
        text: &str,
    ) -> Result<Unchecked<Found<Arc<Key>>>, Error> {
        self.key_for(cx, cx.operation.action, text).await
    }

    /// As [`Self::key`], for an action that is not the call's own.
    pub(crate) async fn key_for(
        &self,
        cx: &Cx,
        action: &str,
        text: &str,
    ) -> Result<Unchecked<Found<Arc<Key>>>, Error> {
        let (account, id, named) = match Identifier::parse(cx, text)? {
            Identifier::Key { account, id } => (account, id.to_owned(), Named::Id),
            Identifier::Alias { account, name } => {
                let path = alias_path(account, cx.region.as_str(), name);
                let alias = self.database.cached(&path, |row: AliasRecord| Ok(row)).await?;
                let Some(alias) = alias else {
                    let alias_arn = arn(cx, account, name);
                    let own = || alias::not_found(&alias_arn);
                    return Err(missing(cx, action, account, &alias_arn, own));
                };
                (account, alias.key_id.clone(), Named::Alias(name.to_owned()))
            }
        };
        match self.ready(cx, account, &id).await? {
            Some(key) => {
                let grants = Some(self.grants(&key.record).await?);
                Ok(Unchecked::new(Found { key, named, grants }))
            }
            None => Err(no_key(cx, action, account, &id)),
        }
    }

    /// The key that made a ciphertext, if it is of this Region.
    pub(crate) async fn key_of(
        &self,
        cx: &Cx,
        handle: &MaterialHandle,
    ) -> Result<Option<Unchecked<Found<Arc<Key>>>>, Error> {
        let path = handle_path(handle);
        let owner = self.database.cached(&path, |row: HandleRecord| Ok(row)).await?;
        // The keys of one multi-Region key have the same id, and open each other's ciphertexts.
        let here = |owner: &Arc<HandleRecord>| {
            owner.region == cx.region.as_str() || owner.key_id.starts_with("mrk-")
        };
        let Some(owner) = owner.filter(here) else { return Ok(None) };
        let Some(key) = self.ready(cx, &owner.account, &owner.key_id).await? else {
            return Ok(None);
        };
        let (named, grants) = (Named::Ciphertext, Some(self.grants(&key.record).await?));
        Ok(Some(Unchecked::new(Found { key, named, grants })))
    }

    async fn ready(&self, cx: &Cx, account: &str, id: &str) -> Result<Option<Arc<Key>>, Fault> {
        self.ready_in(cx.region.as_str(), account, id).await
    }

    /// A key by Region, account and id.
    pub(crate) async fn ready_in(
        &self,
        region: &str,
        account: &str,
        id: &str,
    ) -> Result<Option<Arc<Key>>, Fault> {
        let key = self.cached_key(region, account, id).await?;
        Ok(key.filter(|key| !key.record.is_gone(|| self.env.now())))
    }

    async fn cached_key(
        &self,
        region: &str,
        account: &str,
        id: &str,
    ) -> Result<Option<Arc<Key>>, Fault> {
        let path = key_path(account, region, id);
        let build = async {
            let read = Box::pin(key_text::read(&self.database, &path)).await?;
            read.map(|read| Key::build(&self.database, read.whole())).transpose()
        };
        self.database.cached_with(&path, build).await
    }

    /// The key of a multi-Region key in another Region.
    pub(crate) async fn key_in(
        &self,
        region: &str,
        account: &str,
        id: &str,
    ) -> Result<Unchecked<Found<Arc<Key>>>, Error> {
        let Some(key) = self.cached_key(region, account, id).await? else {
            return Err(Fault::internal(format!("key {id} is not in {region}")).into());
        };
        Ok(Unchecked::new(Found { key, named: Named::Id, grants: None }))
    }

    /// The key of the caller's own account that `text` names by id or ARN.
    pub(crate) async fn own_key(
        &self,
        cx: &Cx,
        text: &str,
    ) -> Result<Unchecked<Found<Arc<Key>>>, Error> {
        let id = own_id(cx, text)?;
        let account = cx.account().as_str();
        match self.ready(cx, account, id).await? {
            Some(key) => Ok(Unchecked::new(Found { key, named: Named::Id, grants: None })),
            None => Err(no_key(cx, cx.operation.action, account, id)),
        }
    }

    /// As [`Self::own_key`], to be changed.
    pub(crate) async fn draft(
        &self,
        cx: &Cx,
        text: &str,
    ) -> Result<Unchecked<Found<Draft>>, Error> {
        let (id, account) = (own_id(cx, text)?, cx.account().as_str());
        let path = key_path(account, cx.region.as_str(), id);
        let read = key_text::read(&self.database, &path).await?;
        let read = read.filter(|read| !read.row.value.is_gone(|| self.env.now()));
        let Some(read) = read else {
            return Err(no_key(cx, cx.operation.action, account, id));
        };
        let key = Key::build(&self.database, read.whole())?;
        Ok(Unchecked::new(Found { key: Draft { key, read }, named: Named::Id, grants: None }))
    }
}

/// What an alias answers where only a key's own name will do.
pub(crate) fn no_alias() -> Error {
    Error::InvalidArnException("Key Aliases are not supported for this operation.".to_owned())
}

fn own_id<'a>(cx: &'a Cx, text: &'a str) -> Result<&'a str, Error> {
    match Identifier::parse(cx, text)? {
        Identifier::Alias { .. } => Err(no_alias()),
        Identifier::Key { account, id } if account == cx.account().as_str() => Ok(id),
        Identifier::Key { account, .. } => {
            Err(authz::foreign(cx, cx.operation.action, account, text).into())
        }
    }
}

fn no_key(cx: &Cx, action: &str, account: &str, id: &str) -> Error {
    let key_arn = arn(cx, account, &format!("key/{id}"));
    missing(cx, action, account, &key_arn, || {
        Error::NotFoundException(format!("Key '{key_arn}' does not exist"))
    })
}

/// Whether something exists in another account is not for everyone to know.
fn missing(cx: &Cx, action: &str, account: &str, arn: &str, own: impl FnOnce() -> Error) -> Error {
    if account == cx.account().as_str() {
        own()
    } else {
        authz::foreign(cx, action, account, arn).into()
    }
}

#[cfg(test)]
mod tests;
