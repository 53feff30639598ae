//! Store, database, services and router, wired.

use std::sync::Arc;
use std::time::Duration;

use haechi_cloudtrail::{CloudTrail, Delivery, FolderDelivery, NoDelivery};
use haechi_core::{
    AccountId, AuditLog, AuditReader, Clock, Database, Env, Jobs, Router, ServiceRoles,
};
use haechi_crypto::{RootKey, SystemRandom};
use haechi_events::{Events, Surroundings};
use haechi_iam::Iam;
use haechi_kms::Kms;
use haechi_organizations::Organizations;
use haechi_scheduler::Scheduler;
use haechi_secretsmanager::SecretsManager;
use haechi_sqs::Sqs;
use haechi_store::{Options, Store};
use haechi_store_mem::MemStore;
use haechi_sts::Sts;
use haechi_wire::Timestamp;
use zeroize::Zeroizing;

use crate::Failure;
use crate::accounts::IamAccounts;
use crate::audit::{DurableAudit, MemoryAudit};
use crate::data::{DataDirectory, RootAccessKey};
use crate::keys::SecretKeys;
use crate::parameters::parameter_store;
use crate::recorder::Recorder;
use crate::role_calls::RoleCalls;
use crate::service_roles::SessionsOfRoles;
use crate::targets::EventTargets;

/// Everything that serves, but for the network.
pub struct Stack {
    /// The records.
    pub database: Arc<Database>,
    /// Who the callers are.
    pub iam: Arc<Iam>,
    /// The keys.
    pub kms: Arc<Kms>,
    /// The secrets.
    pub secrets: Arc<SecretsManager>,
    /// Which account is in which organization.
    pub organizations: Arc<Organizations>,
    /// Duties that fall due.
    pub jobs: Arc<Jobs>,
    /// Where records of calls go.
    pub audit: Arc<dyn AuditLog>,
    /// The operations.
    pub router: Router,
}

/// Who exists, for key policies and grants: they name users and roles that do, and not those that
/// are made later under the same name.
struct Directory(Arc<Iam>);

#[async_trait::async_trait]
impl haechi_kms::Principals for Directory {
    async fn unique_id(&self, arn: &str) -> Result<Option<String>, haechi_wire::Fault> {
        self.0.unique_id(arn).await
    }
}

/// Time and randomness of this process.
pub fn environment(clock: Arc<dyn Clock>) -> Env {
    Env { clock, random: Arc::new(SystemRandom::new()) }
}

/// The audit log, as it is written and read, and where trails deliver.
type Trails = (Arc<dyn AuditLog>, Arc<dyn AuditReader>, Arc<dyn Delivery>);

fn trails(
    data: Option<&DataDirectory>,
    database: &Arc<Database>,
    env: &Env,
) -> Result<Trails, Failure> {
    let Some(data) = data else {
        let audit = Arc::new(MemoryAudit::default());
        return Ok((Arc::clone(&audit) as _, audit, Arc::new(NoDelivery)));
    };
    let audit = Arc::new(DurableAudit::open(data, database, &env.random, &env.clock)?);
    Ok((Arc::clone(&audit) as _, audit, Arc::new(FolderDelivery::new(&data.trails()))))
}

fn secrets(
    database: &Arc<Database>,
    env: &Env,
    jobs: &Arc<Jobs>,
    kms: &Arc<Kms>,
) -> Arc<SecretsManager> {
    let keys = Arc::new(SecretKeys(Arc::clone(kms)));
    let (database, jobs) = (Arc::clone(database), Arc::clone(jobs));
    let secrets = SecretsManager::new(database, env.clone(), jobs, keys);
    Arc::new(crate::rotators::with_rotators(secrets))
}

/// How a store is told the time.
pub fn store_clock(clock: &Arc<dyn Clock>) -> Options {
    let clock = Arc::clone(clock);
    Options::new(move || Duration::from_millis(u64::try_from(clock.now().millis()).unwrap_or(0)))
}

impl Stack {
    /// Wires the services over a store; the audit log and what trails deliver lie in the data
    /// directory, where there is one.
    ///
    /// # Errors
    /// If the store cannot be read, or does not open under this root key; as
    /// [`DurableAudit::open`].
    pub async fn new(
        store: Arc<dyn Store>,
        root: RootKey,
        env: &Env,
        epoch: u32,
        data: Option<&DataDirectory>,
    ) -> Result<Stack, Failure> {
        let random = Arc::clone(&env.random);
        let database = Database::open(store, root, random, env.now(), epoch).await?;
        let database = Arc::new(database);
        let jobs = Arc::new(Jobs::new(Arc::clone(&database), env.clone()));
        let iam = Arc::new(Iam::new(Arc::clone(&database), env.clone()));
        let kms = Kms::new(Arc::clone(&database), env.clone(), Arc::clone(&jobs))
            .with_principals(Arc::new(Directory(Arc::clone(&iam))));
        let kms = Arc::new(kms);
        let (audit, reader, delivery) = trails(data, &database, env)?;
        let cloudtrail = CloudTrail::new(
            Arc::clone(&database),
            env.clone(),
            Arc::clone(&jobs),
            reader,
            delivery,
        );
        let organizations = Organizations::new(
            Arc::clone(&database),
            env.clone(),
            Arc::clone(&jobs),
            Arc::new(IamAccounts::new(Arc::clone(&iam), env.clone())),
        );
        let organizations = Arc::new(organizations);
        let secrets = secrets(&database, env, &jobs, &kms);
        let ssm = parameter_store((&database, env, &jobs), &kms, &secrets, data)?;
        let mut router = Router::default();
        organizations.mount(&mut router);
        let cloudtrail = cloudtrail.with_organizations(Arc::clone(&organizations) as _);
        Arc::new(cloudtrail).mount(&mut router);
        iam.mount(&mut router);
        kms.mount(&mut router);
        secrets.mount(&mut router);
        Arc::new(ssm).mount(&mut router);
        let sqs = Arc::new(Sqs::new(Arc::clone(&database), Arc::clone(&jobs)));
        sqs.mount(&mut router);
        let sts = Arc::new(Sts::new(Arc::clone(&database), Arc::clone(&iam) as _));
        sts.mount(&mut router);
        let recorder = Arc::new(Recorder(Arc::clone(&audit)));
        let roles: Arc<dyn ServiceRoles> = Arc::new(SessionsOfRoles {
            env: env.clone(),
            sts,
            iam: Arc::clone(&iam),
            organizations: Arc::clone(&organizations),
            recorder: Arc::clone(&recorder),
        });
        let targets = Arc::new(EventTargets { env: env.clone(), sqs });
        let around = Surroundings { targets, roles: Arc::clone(&roles) };
        let (records, time) = (Arc::clone(&database), env.clone());
        Events::new(records, time, Arc::clone(&jobs), around).mount(&mut router);
        // Last: it calls what is mounted so far, and not itself.
        let calls = Arc::new(RoleCalls { env: env.clone(), router: router.clone(), recorder });
        let (records, time) = (Arc::clone(&database), env.clone());
        Scheduler::new(records, time, Arc::clone(&jobs), roles, calls).mount(&mut router);
        Ok(Stack { database, iam, kms, secrets, organizations, jobs, audit, router })
    }

    /// A stack in memory that nobody calls: for what can be told from the router alone.
    ///
    /// # Errors
    /// If randomness fails.
    pub async fn in_memory() -> Result<Stack, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(Timestamp::from_seconds(0));
        let env = environment(Arc::clone(&clock));
        let root = RootKey::generate(&*env.random)?;
        Stack::new(Arc::new(MemStore::new(store_clock(&clock))), root, &env, 0, None).await
    }

    /// The account to serve: the one `wished` for, else the first there is. Where there is none it
    /// is made, with the id wished for, else `preferred`, else a random one.
    ///
    /// # Errors
    /// If the store fails, or another account than the one wished for exists already.
    pub async fn account(
        &self,
        wished: Option<&AccountId>,
        preferred: Option<&AccountId>,
        env: &Env,
    ) -> Result<AccountId, Failure> {
        let accounts = self.iam.accounts().await?;
        let Some(first) = accounts.first() else {
            let account = match wished.or(preferred) {
                Some(account) => account.clone(),
                None => random_account(env)?,
            };
            self.iam.create_account(&account).await?;
            return Ok(account);
        };
        match wished {
            Some(wished) if !accounts.contains(wished) => Err(format!(
                "this data directory belongs to account {first}: --account-id {wished} is for the first start only"
            )
            .into()),
            Some(wished) => Ok(wished.clone()),
            None => Ok(preferred.filter(|account| accounts.contains(account)).unwrap_or(first).clone()),
        }
    }

    /// The access key of the account's root user for the credentials file. A first start that was
    /// cut off before the file was written may have left one; otherwise it is made.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn root_access_key(&self, account: &AccountId) -> Result<RootAccessKey, Failure> {
        let (access_key_id, mut secret) = match self.iam.root_key(account).await? {
            Some(left) => left,
            None => self.iam.create_root_key(account).await?,
        };
        let secret_access_key = Zeroizing::new(std::mem::take(&mut secret.0));
        Ok(RootAccessKey { access_key_id, secret_access_key })
    }
}

/// An account id that is most likely nobody's.
///
/// # Errors
/// If randomness fails.
pub fn random_account(env: &Env) -> Result<AccountId, Failure> {
    // AWS's never begin with nought.
    let digits = env.characters(b"123456789", 1)? + &env.characters(b"0123456789", 11)?;
    AccountId::parse(&digits).ok_or_else(|| "randomness did not give 12 digits".into())
}
