//! Grants in the store, and the tokens that name them.
//!
//! ```text
//! /kms/<account>/<region>/grant/<key id>/<grant id>         GrantRecord
//! /kms/<account>/<region>/grants/<key id>                   GrantsRecord: how many
//! /kms/<account>/<region>/grant-name/<key id>/<hidden>      NamedGrant: which grant a retry means
//! /kms/<account>/<region>/retirable/<hidden>/<grant id>     RetirableGrant: whose grant it is;
//!                                                           under the retiring principal's account
//! ```
//! Every write to a key's grants writes its `GrantsRecord`. What is cached of the grants hangs on
//! that row, so that a revoked grant ends with the answer to the revocation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Database, Loaded, Path, Record, Unchecked};
use haechi_kms_model::Error;
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

use crate::Kms;
use crate::grant::{self, GRANTS_PER_KEY_MAX, GrantRecord, Grants, Party};
use crate::identifier::Identifier;
use crate::store::{Found, Key, KeyRecord};

/// Grants removed in one transaction: three writes each, and the store takes a hundred.
const CHUNK: u32 = 30;

/// What seals a token to its purpose; no storage key looks like it.
const TOKEN: &[u8] = b"kms grant token";

/// Changes of a key's grants that are remembered one by one.
const RECENT_MAX: usize = 32;

/// How many grants a key has, and which changed last.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct GrantsRecord {
    pub(crate) count: u32,
    /// The grant whose change was the first: a replica that is made again where one was deleted has
    /// the same name, and other grants.
    #[serde(default)]
    since: String,
    /// How often they changed.
    #[serde(default)]
    changes: u64,
    /// Which changed last, oldest first.
    #[serde(default)]
    recent: Vec<String>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Which grant a retry with a name means.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct NamedGrant {
    grant_id: String,
    /// Fields of the future.
    #[serde(flatten)]
    unknown: Unknown,
}

/// Where a grant lies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RetirableGrant {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) key_id: String,
    pub(crate) grant_id: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl GrantsRecord {
    fn note(&mut self, id: &str) {
        if self.since.is_empty() {
            id.clone_into(&mut self.since);
        }
        self.changes = self.changes.saturating_add(1);
        self.recent.push(id.to_owned());
        let surplus = self.recent.len().saturating_sub(RECENT_MAX);
        self.recent.drain(..surplus);
    }
}

/// The grants of a key as they were read last, and what the key's `GrantsRecord` said then.
#[derive(Clone)]
struct KnownGrants {
    grants: Grants,
    at: GrantsRecord,
}

impl KnownGrants {
    /// Which grants changed until `now`, if all of that is remembered.
    fn changed_until<'a>(&self, now: &'a GrantsRecord) -> Option<&'a [String]> {
        if self.at.since.is_empty() || self.at.since != now.since {
            return None;
        }
        let changes = now.changes.checked_sub(self.at.changes)?;
        // None is noted: a program that notes none may have made some, or the memory was full.
        if changes == 0 {
            return None;
        }
        let from = now.recent.len().checked_sub(usize::try_from(changes).ok()?)?;
        now.recent.get(from..)
    }
}

/// Keys with so few grants are read anew after each change.
const FEW: usize = 100;

/// Keys whose grants are remembered.
const KNOWN_KEYS_MAX: usize = 1000;

/// Grants of keys that have many, from which those of now are made when some have changed. It
/// decides nothing: what counts is in the database's cache, as long as nothing was written.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<String, KnownGrants>>);

impl Memory {
    fn all(&self) -> MutexGuard<'_, HashMap<String, KnownGrants>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recall(&self, arn: &str) -> Option<KnownGrants> {
        self.all().get(arn).cloned()
    }

    fn keep(&self, arn: &str, known: KnownGrants) {
        let mut all = self.all();
        let few = usize::try_from(known.at.count).is_ok_and(|count| count <= FEW);
        if few {
            all.remove(arn);
            return;
        }
        if all.len() >= KNOWN_KEYS_MAX && !all.contains_key(arn) {
            all.clear();
        }
        all.insert(arn.to_owned(), known);
    }
}

impl Record for GrantsRecord {}
impl Record for NamedGrant {}
impl Record for RetirableGrant {}

fn root(account: &str, region: &str, kind: &str) -> Path {
    Path::new("kms").part(account).part(region).part(kind)
}

/// All grants of a key.
pub(crate) fn grants_of(account: &str, region: &str, key_id: &str) -> Path {
    root(account, region, "grant").part(key_id)
}

fn count_path(account: &str, region: &str, key_id: &str) -> Path {
    root(account, region, "grants").part(key_id)
}

/// All grants that a principal may retire.
pub(crate) fn retirable_by(principal: &str, region: &str) -> Path {
    let account = principal.split(':').nth(4).unwrap_or_default();
    root(account, region, "retirable").hidden(principal)
}

impl GrantRecord {
    fn path(&self) -> Path {
        grants_of(&self.key_account, &self.region, &self.key_id).part(&self.id)
    }

    fn count_path(&self) -> Path {
        count_path(&self.key_account, &self.region, &self.key_id)
    }

    fn retirable_path(&self) -> Option<Path> {
        let party = self.retiring.as_ref()?;
        Some(retirable_by(&party.name, &self.region).part(&self.id))
    }

    /// Where the grant lies that a retry of this request means: all that it says is in the name.
    fn name_path(&self) -> Option<Path> {
        let name = self.name.as_ref()?;
        let mut operations = self.operations.clone();
        operations.sort_unstable();
        let said = format!(
            "{name:?} {:?} {:?} {:?} {operations:?} {:?}",
            self.issuing_account, self.grantee, self.retiring, self.constraints
        );
        let under = root(&self.key_account, &self.region, "grant-name").part(&self.key_id);
        Some(under.hidden(&said))
    }

    fn place(&self) -> RetirableGrant {
        RetirableGrant {
            account: self.key_account.clone(),
            region: self.region.clone(),
            key_id: self.key_id.clone(),
            grant_id: self.id.clone(),
            unknown: Unknown::new(),
        }
    }
}

/// Adds to a batch all that goes with a grant.
fn forget(batch: &mut Batch, grant: &Loaded<GrantRecord>) {
    batch.remove(grant);
    for path in [grant.value.retirable_path(), grant.value.name_path()].into_iter().flatten() {
        batch.delete(path);
    }
}

/// Removes the grants of a key that goes, before it goes and as long as nobody saves it.
pub(crate) async fn forget_all(database: &Database, key: &Loaded<KeyRecord>) -> Result<(), Fault> {
    let KeyRecord { account, region, id, .. } = &key.value;
    loop {
        let prefix = grants_of(account, region, id);
        let page = database.list::<GrantRecord>(&prefix, None, CHUNK).await?;
        let mut batch = Batch::new();
        batch.unchanged(key);
        batch.delete(count_path(account, region, id));
        for grant in &page.items {
            forget(&mut batch, grant);
        }
        database.commit(batch).await?;
        if page.next.is_none() {
            return Ok(());
        }
    }
}

/// A key by id or ARN, of any account: what operations on grants take.
pub(crate) fn no_alias(cx: &Cx, text: &str) -> Result<(), Error> {
    match Identifier::parse(cx, text)? {
        Identifier::Alias { .. } => Err(Error::InvalidArnException(
            "Key Aliases are not supported for this operation.".to_owned(),
        )),
        Identifier::Key { .. } => Ok(()),
    }
}

impl Kms {
    /// A key by id or ARN, not by an alias.
    pub(crate) async fn key_by_id(
        &self,
        cx: &Cx,
        text: &str,
    ) -> Result<Unchecked<Found<Arc<Key>>>, Error> {
        no_alias(cx, text)?;
        self.key(cx, text).await
    }

    /// The grants of a key, from memory where nothing has changed them.
    pub(crate) async fn grants(&self, key: &KeyRecord) -> Result<Arc<Grants>, Fault> {
        let scope = count_path(&key.account, &key.region, &key.id);
        let build = async { Ok(Some(Box::pin(self.read_grants(key, &scope)).await?)) };
        Ok(self.database.derived(&scope, "grants", build).await?.unwrap_or_default())
    }

    /// The grants of a key from the store: only those that changed, where it is known which did. A
    /// change that comes between is read twice, to the same end.
    async fn read_grants(&self, key: &KeyRecord, count: &Path) -> Result<Grants, Fault> {
        let at = self.database.load::<GrantsRecord>(count).await?;
        let at = at.map(|loaded| loaded.value).unwrap_or_default();
        let known = self.known_grants.recall(&key.arn);
        let known = match &known {
            Some(known) => self.changed_grants(key, known, &at).await?,
            None => None,
        };
        let grants = match known {
            Some(grants) => grants,
            None => {
                let prefix = grants_of(&key.account, &key.region, &key.id);
                let rows = self.database.list_all::<GrantRecord>(&prefix).await?;
                Grants::new(rows.into_iter().map(|row| row.value))
            }
        };
        self.known_grants.keep(&key.arn, KnownGrants { grants: grants.clone(), at });
        Ok(grants)
    }

    /// The grants that are known, as those that changed since are now; `None` where that is not all,
    /// as nodes of a version that notes no changes have made some too.
    async fn changed_grants(
        &self,
        key: &KeyRecord,
        known: &KnownGrants,
        at: &GrantsRecord,
    ) -> Result<Option<Grants>, Fault> {
        let Some(ids) = known.changed_until(at) else { return Ok(None) };
        let mut changed = Vec::with_capacity(ids.len());
        for id in ids {
            let grant = self.grant(&key.account, &key.region, &key.id, id).await?;
            changed.push((id.clone(), grant.map(|grant| grant.value)));
        }
        let grants = known.grants.with(changed);
        Ok(usize::try_from(at.count).is_ok_and(|count| count == grants.len()).then_some(grants))
    }

    /// A grant of a key.
    pub(crate) async fn grant(
        &self,
        account: &str,
        region: &str,
        key_id: &str,
        id: &str,
    ) -> Result<Option<Loaded<GrantRecord>>, Fault> {
        self.database.load(&grants_of(account, region, key_id).part(id)).await
    }

    /// The grant that an earlier request made which said the same, under the same name.
    pub(crate) async fn same_grant(
        &self,
        grant: &GrantRecord,
    ) -> Result<Option<GrantRecord>, Fault> {
        let Some(path) = grant.name_path() else { return Ok(None) };
        let Some(named) = self.database.load::<NamedGrant>(&path).await? else { return Ok(None) };
        let (account, region, key) = (&grant.key_account, &grant.region, &grant.key_id);
        let found = self.grant(account, region, key, &named.value.grant_id).await?;
        Ok(found.map(|found| found.value))
    }

    /// Stores a new grant of a key that is there.
    pub(crate) async fn add_grant(
        &self,
        key: &KeyRecord,
        grant: &GrantRecord,
    ) -> Result<(), Error> {
        let Some(key) = self.database.load::<KeyRecord>(&key.path()).await? else {
            return Err(Fault::Conflict.into());
        };
        let mut batch = Batch::new();
        batch.unchanged(&key);
        match self.database.load::<GrantsRecord>(&grant.count_path()).await? {
            Some(count) if count.value.count >= GRANTS_PER_KEY_MAX => {
                return Err(Error::LimitExceededException(format!(
                    "Grants per key quota for this account in this region is {GRANTS_PER_KEY_MAX}, \
                     current usage is {}.",
                    count.value.count
                )));
            }
            Some(loaded) => {
                let mut count = loaded.value.clone();
                count.count += 1;
                count.note(&grant.id);
                batch.replace(&loaded, &count);
            }
            None => {
                let mut count = GrantsRecord { count: 1, ..GrantsRecord::default() };
                count.note(&grant.id);
                batch.create(grant.count_path(), &count);
            }
        }
        batch.create(grant.path(), grant);
        if let Some(path) = grant.retirable_path() {
            batch.create(path, &grant.place());
        }
        if let Some(path) = grant.name_path() {
            let named = NamedGrant { grant_id: grant.id.clone(), unknown: Unknown::new() };
            batch.put(path, &named);
        }
        Ok(self.database.commit(batch).await?)
    }

    /// Ends a grant.
    pub(crate) async fn end_grant(&self, grant: &Loaded<GrantRecord>) -> Result<(), Error> {
        let mut batch = Batch::new();
        forget(&mut batch, grant);
        if let Some(loaded) = self.database.load::<GrantsRecord>(&grant.value.count_path()).await? {
            let mut count = loaded.value.clone();
            count.count = count.count.saturating_sub(1);
            count.note(&grant.value.id);
            batch.replace(&loaded, &count);
        }
        Ok(self.database.commit(batch).await?)
    }

    /// A party that a request names, if it is somebody.
    pub(crate) async fn existing_party(&self, mut party: Party) -> Result<Party, Error> {
        if party.service {
            return Ok(party);
        }
        grant::check_principal(&party.name)?;
        let entity = party.name.contains(":user/") || party.name.contains(":role/");
        if let Some(directory) = self.env.principals().filter(|_| entity) {
            party.unique_id = directory.unique_id(&party.name).await?;
            if party.unique_id.is_none() {
                return Err(grant::no_principal(&party.name));
            }
        }
        Ok(party)
    }

    /// A token for a grant; another one each time.
    pub(crate) fn grant_token(&self, grant: &GrantRecord) -> Result<String, Fault> {
        let place =
            [&*grant.key_account, &grant.region, &grant.key_id, &grant.id].join("/").into_bytes();
        let sealed = self.database.keyring().seal(TOKEN, &place, &*self.env.random);
        Ok(STANDARD.encode(sealed.map_err(Fault::internal)?))
    }

    /// The place of the grant that a token was given for.
    pub(crate) fn open_token(&self, token: &str) -> Result<RetirableGrant, Error> {
        let invalid =
            || Error::InvalidGrantTokenException("The grant token is not valid.".to_owned());
        let sealed = STANDARD.decode(token).map_err(|_| invalid())?;
        let place = self.database.keyring().open_value(TOKEN, &sealed).map_err(|_| invalid())?;
        let place = std::str::from_utf8(place.expose()).map_err(|_| invalid())?;
        let mut parts = place.split('/').map(str::to_owned);
        let mut part = || parts.next().ok_or_else(invalid);
        Ok(RetirableGrant {
            account: part()?,
            region: part()?,
            key_id: part()?,
            grant_id: part()?,
            unknown: Unknown::new(),
        })
    }

    /// Refuses tokens that nobody was given. A grant counts from the answer to its creation on, so
    /// a token adds nothing to what the grant gives.
    pub(crate) fn check_grant_tokens(&self, tokens: Option<&Vec<String>>) -> Result<(), Error> {
        for token in tokens.into_iter().flatten() {
            self.open_token(token)?;
        }
        Ok(())
    }
}
