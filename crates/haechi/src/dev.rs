//! `--dev`: unknown access keys are root, the clock can be moved, everything can be reset.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{
    AccountId, Caller, Credential, Database, Identities, Jobs, MovableClock, Region, access_key_id,
};
use haechi_gateway::dev::{DevAnswer, DevControls};
use haechi_iam::{Iam, root_caller};
use haechi_store::{Key, Op, Range, Value};
use haechi_sts::KeySets;
use haechi_wire::{Fault, Timestamp};

/// Takes an access key id that nobody created for root of an account: the id itself if it is 12
/// digits, else the default. One that was created is looked up as always, also when it is inactive.
pub struct DevIdentities {
    /// Who knows the keys that exist.
    pub iam: Arc<Iam>,
    /// The account of ids that name none.
    pub account: AccountId,
}

#[async_trait]
impl Identities for DevIdentities {
    async fn credential(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Option<Arc<Credential>>, Fault> {
        // An id that names an account and comes with a token is a session, or was one.
        let is_session = session_token.is_some() && access_key_id::account(access_key_id).is_some();
        if is_session || self.iam.knows(access_key_id).await? {
            return self.iam.credential(access_key_id, session_token).await;
        }
        let account = AccountId::parse(access_key_id).unwrap_or_else(|| self.account.clone());
        let caller = root_caller(&account, access_key_id);
        Ok(Some(Arc::new(Credential::new(None, caller))))
    }

    fn used(&self, caller: &Caller, service: &'static str, region: &Region, now: Timestamp) {
        self.iam.used(caller, service, region, now);
    }
}

/// Time travel and a clean slate.
pub struct Controls {
    database: Arc<Database>,
    clock: Arc<MovableClock>,
    jobs: Arc<Jobs>,
    key_sets: Option<Arc<KeySets>>,
    /// The rows of the first start: account, root access key, certificates.
    origin: BTreeMap<Key, Value>,
}

/// Rows that one transaction changes, at most.
const ROWS_PER_TXN: usize = 100;

impl Controls {
    /// Over a stack that has just been made; what is stored now is what a reset returns to.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn new(
        database: Arc<Database>,
        clock: Arc<MovableClock>,
        jobs: Arc<Jobs>,
        key_sets: Option<Arc<KeySets>>,
    ) -> Result<Controls, Fault> {
        let origin = rows(&database).await?;
        Ok(Controls { database, clock, jobs, key_sets, origin })
    }

    async fn restore(&self) -> Result<(), Fault> {
        let now = rows(&self.database).await?;
        let gone = now.keys().filter(|key| !self.origin.contains_key(*key));
        let mut changes: Vec<Op> = gone.map(|key| Op::delete(key.clone())).collect();
        let changed = self.origin.iter().filter(|(key, value)| now.get(*key) != Some(*value));
        changes.extend(changed.map(|(key, value)| Op::put(key.clone(), value.clone())));
        for part in changes.chunks(ROWS_PER_TXN) {
            self.database.store().txn(&[], part.to_vec()).await.map_err(Fault::internal)?;
        }
        self.database.forget();
        if let Some(key_sets) = &self.key_sets {
            key_sets.forget();
        }
        Ok(())
    }
}

async fn rows(database: &Database) -> Result<BTreeMap<Key, Value>, Fault> {
    let mut rows = BTreeMap::new();
    let mut range = Some(Range::all());
    while let Some(part) = range {
        let page = database.store().range(part.clone(), 0, None).await.map_err(Fault::internal)?;
        range = page.next(&part);
        let kvs = page.kvs.into_iter();
        // Domain keys stay: a reset does not take a rotation, or a change of the root key, back.
        let kvs = kvs.filter(|kv| !kv.key.as_bytes().starts_with(b"/keyring/"));
        rows.extend(kvs.map(|kv| (kv.key, kv.value)));
    }
    Ok(rows)
}

impl DevControls for Controls {
    fn advance(&self, seconds: i64) -> DevAnswer<'_> {
        Box::pin(async move {
            self.clock.advance(seconds);
            self.jobs.run_due().await?;
            self.jobs.wake();
            let now = haechi_core::Clock::now(&*self.clock).iso8601();
            Ok(format!("{{\"now\":\"{now}\"}}"))
        })
    }

    fn reset(&self) -> DevAnswer<'_> {
        Box::pin(async move {
            self.clock.reset();
            self.restore().await?;
            Ok("{}".to_owned())
        })
    }
}
