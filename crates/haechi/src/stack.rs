//! Store, database, services and router, wired.

use std::sync::Arc;
use std::time::Duration;

use haechi_cloudtrail::{CloudTrail, Delivery, FolderDelivery, NoDelivery};
use haechi_core::{
    AccountId, AuditLog, AuditReader, Clock, Database, Env, Intents, Jobs, Router, ServiceRoles,
};
use haechi_crypto::{RootKey, SystemRandom};
use haechi_events::{Events, Surroundings};
use haechi_iam::Iam;
use haechi_kms::Kms;
use haechi_lambda::Lambda;
use haechi_organizations::Organizations;
use haechi_scheduler::Scheduler;
use haechi_secretsmanager::SecretsManager;
use haechi_sns::Sns;
use haechi_sqs::Sqs;
use haechi_store::{Options, Store};
use haechi_store_mem::MemStore;
use haechi_sts::{KeySets, Sts};
use haechi_wire::Timestamp;
use zeroize::Zeroizing;

use crate::Failure;
use crate::accounts::IamAccounts;
use crate::audit::{DurableAudit, MemoryAudit};
use crate::connections::SecretsOfConnections;
use crate::data::{DataDirectory, RootAccessKey};
use crate::functions::{MadeLater, RolesOfFunctions, RotationByLambda};
use crate::keys::{MessageKeys, SecretKeys};
use crate::outbound::{ApiEndpoints, Outbound};
use crate::parameters::parameter_store;
use crate::recorder::Recorder;
use crate::role_calls::RoleCalls;
use crate::service_roles::SessionsOfRoles;
use crate::storage::node_id;
use crate::subscriptions::{LocalAuthority, SubscriptionEndpoints};
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
    /// The queues.
    pub sqs: Arc<Sqs>,
    /// The functions.
    pub lambda: Arc<Lambda>,
    /// Which account is in which organization.
    pub organizations: Arc<Organizations>,
    /// Where trails are.
    pub cloudtrail: Arc<CloudTrail>,
    /// The event buses.
    pub events: Arc<Events>,
    /// The topics.
    pub sns: Arc<Sns>,
    /// Where their messages go.
    pub endpoints: Arc<SubscriptionEndpoints>,
    /// The way to endpoints that users name.
    pub outbound: Arc<Outbound>,
    /// Duties that fall due.
    pub jobs: Arc<Jobs>,
    /// Where records of calls go.
    pub audit: Arc<dyn AuditLog>,
    /// What tells of changes whose record is not on disk yet; `None` in memory.
    pub intents: Option<Arc<Intents>>,
    /// The operations.
    pub router: Router,
    /// The keys of identity providers, where a server takes their tokens.
    pub key_sets: Option<Arc<KeySets>>,
    /// Other deployments, where a server knows some.
    pub peers: Option<Arc<haechi_peer::Peers>>,
}

/// Time and randomness of this process.
pub fn environment(clock: Arc<dyn Clock>) -> Env {
    Env::new(clock, Arc::new(SystemRandom::new()))
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
    (database, env, jobs): (&Arc<Database>, &Env, &Arc<Jobs>),
    kms: &Arc<Kms>,
    audit: &Arc<dyn AuditLog>,
    outbound: &Arc<Outbound>,
) -> Arc<SecretsManager> {
    let keys = Arc::new(SecretKeys { kms: Arc::clone(kms), audit: Arc::clone(audit) });
    let (database, jobs) = (Arc::clone(database), Arc::clone(jobs));
    let secrets = SecretsManager::new(database, env.clone(), jobs, keys);
    Arc::new(crate::rotators::with_rotators(secrets, outbound, env))
}

fn organizations(
    database: &Arc<Database>,
    env: &Env,
    jobs: &Arc<Jobs>,
    iam: &Arc<Iam>,
) -> Arc<Organizations> {
    let accounts = Arc::new(IamAccounts::new(Arc::clone(iam), env.clone()));
    let (database, jobs) = (Arc::clone(database), Arc::clone(jobs));
    Arc::new(Organizations::new(database, env.clone(), jobs, accounts))
}

fn kms((database, env, jobs): (&Arc<Database>, &Env, &Arc<Jobs>)) -> Arc<Kms> {
    let (database, jobs) = (Arc::clone(database), Arc::clone(jobs));
    Arc::new(Kms::new(database, env.clone(), jobs))
}

fn service_roles(
    env: &Env,
    (sts, iam, organizations): (&Arc<Sts>, &Arc<Iam>, &Arc<Organizations>),
    recorder: &Arc<Recorder>,
) -> Arc<dyn ServiceRoles> {
    Arc::new(SessionsOfRoles {
        env: env.clone(),
        sts: Arc::clone(sts),
        iam: Arc::clone(iam),
        organizations: Arc::clone(organizations),
        recorder: Arc::clone(recorder),
    })
}

/// What takes events, which is mounted by now.
fn event_targets(
    env: &Env,
    (sns, sqs, lambda): (&Arc<Sns>, Arc<Sqs>, &Arc<Lambda>),
    recorder: &Arc<Recorder>,
    router: &Router,
) -> EventTargets {
    let calls = role_calls("events", env, recorder, router);
    EventTargets { env: env.clone(), sns: Arc::clone(sns), sqs, lambda: Arc::clone(lambda), calls }
}

/// What is mounted by now, for a service to call in the name of roles.
fn role_calls(
    service: &'static str,
    env: &Env,
    recorder: &Arc<Recorder>,
    router: &Router,
) -> Arc<RoleCalls> {
    let (env, recorder) = (env.clone(), Arc::clone(recorder));
    Arc::new(RoleCalls { env, router: router.clone(), recorder, service })
}

/// `EventBridge` and its Scheduler, mounted last: it calls what is mounted so far, and not itself.
fn events(
    (database, env, jobs): (&Arc<Database>, &Env, &Arc<Jobs>),
    (targets, secrets, outbound): (EventTargets, &Arc<SecretsManager>, &Arc<Outbound>),
    (roles, recorder): (Arc<dyn ServiceRoles>, Arc<Recorder>),
    router: &mut Router,
) -> Arc<Events> {
    let around = Surroundings {
        targets: Arc::new(targets),
        roles: Arc::clone(&roles),
        secrets: Arc::new(SecretsOfConnections {
            env: env.clone(),
            secrets: Arc::clone(secrets),
            recorder: Arc::clone(&recorder),
        }),
        http: Arc::new(ApiEndpoints { outbound: Arc::clone(outbound), env: env.clone() }),
    };
    let (records, time) = (Arc::clone(database), env.clone());
    let events = Events::new(records, time, Arc::clone(jobs), around);
    events.mount(router);
    let calls = role_calls("scheduler", env, &recorder, router);
    let (records, time) = (Arc::clone(database), env.clone());
    Scheduler::new(records, time, Arc::clone(jobs), roles, calls).mount(router);
    events
}

/// The name of the one server of a store in this data directory.
const ONLY_SERVER: &str = "0";

/// The name under which a server's intents lie: of several nodes each settles what it began itself.
fn server(data: &DataDirectory, env: &Env, is_shared: bool) -> Result<String, Failure> {
    if is_shared { node_id(data, env) } else { Ok(ONLY_SERVER.to_owned()) }
}

/// The intents of this server's calls; what a crash has left of them is in the audit log then.
async fn recovered(
    database: &Arc<Database>,
    audit: &dyn AuditLog,
    reader: Arc<dyn AuditReader>,
    server: &str,
) -> Result<Arc<Intents>, Failure> {
    let intents = Intents::new(Arc::clone(database), server);
    let calls = intents.recover(audit, reader).await?;
    if calls > 0 {
        tracing::warn!(calls, "the last end came between a change and its record: recorded now");
    }
    Ok(Arc::new(intents))
}

/// SQS, and the keys of messages.
fn queues(
    (database, env, jobs): (&Arc<Database>, &Env, &Arc<Jobs>),
    kms: &Arc<Kms>,
    audit: &Arc<dyn AuditLog>,
) -> (Arc<dyn haechi_sse::Keys>, Arc<Sqs>) {
    let keys = MessageKeys { kms: Arc::clone(kms), audit: Arc::clone(audit) };
    let keys: Arc<dyn haechi_sse::Keys> = Arc::new(keys);
    let (records, time) = (Arc::clone(database), env.clone());
    let sqs = Sqs::new(records, time, Arc::clone(jobs), Arc::clone(&keys));
    (keys, Arc::new(sqs))
}

fn notifications(
    database: &Arc<Database>,
    env: &Env,
    jobs: &Jobs,
    (keys, sqs, outbound): (Arc<dyn haechi_sse::Keys>, &Arc<Sqs>, &Arc<Outbound>),
) -> (Arc<Sns>, Arc<SubscriptionEndpoints>) {
    let (sqs, outbound) = (Arc::clone(sqs), Arc::clone(outbound));
    let endpoints = Arc::new(SubscriptionEndpoints::new(env.clone(), sqs, outbound));
    let authority = LocalAuthority { database: Arc::clone(database), env: env.clone() };
    let (records, time) = (Arc::clone(database), env.clone());
    let sns = Sns::new(records, time, jobs, keys, Arc::clone(&endpoints) as _, Arc::new(authority));
    (sns, endpoints)
}

/// Lambda, with what it does as the roles of functions.
fn functions(
    database: &Arc<Database>,
    env: &Env,
    jobs: &Arc<Jobs>,
    (sts, roles): (&Arc<Sts>, &Arc<dyn ServiceRoles>),
    (sqs, sns): (&Arc<Sqs>, &Arc<Sns>),
) -> (Arc<Lambda>, Arc<RolesOfFunctions>) {
    let roles = Arc::new(RolesOfFunctions {
        env: env.clone(),
        sts: Arc::clone(sts),
        roles: Arc::clone(roles),
        sqs: Arc::clone(sqs),
        sns: Arc::clone(sns),
        later: MadeLater::default(),
    });
    let known = Arc::clone(&roles) as _;
    (Lambda::new(Arc::clone(database), env.clone(), jobs, known), roles)
}

/// How a store is told the time.
pub fn store_clock(clock: &Arc<dyn Clock>) -> Options {
    let clock = Arc::clone(clock);
    Options::new(move || Duration::from_millis(u64::try_from(clock.now().millis()).unwrap_or(0)))
}

/// The store, and what opens it.
pub struct Records {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The root key.
    pub root: RootKey,
    /// The least id that the newest domain key may have.
    pub epoch: u32,
    /// Whether other nodes write, too.
    pub is_shared: bool,
}

/// The records, open.
async fn database(records: Records, env: &Env) -> Result<Arc<Database>, Failure> {
    let Records { store, root, epoch, is_shared } = records;
    let (random, next) = (Arc::clone(&env.random), crate::format::next());
    let database = Database::open_knowing(store, root, random, env.now(), epoch, next).await?;
    if is_shared {
        database.share();
    }
    Ok(Arc::new(database))
}

impl Stack {
    /// Wires the services over a store; the audit log and what trails deliver lie in the data
    /// directory, where there is one.
    ///
    /// # Errors
    /// If the store cannot be read, or does not open under this root key; as
    /// [`DurableAudit::open`].
    pub async fn new(
        records: Records,
        env: &Env,
        data: Option<&DataDirectory>,
    ) -> Result<Stack, Failure> {
        let is_shared = records.is_shared;
        // Its own: another stack has other organizations, and others exist there.
        let env = &Env::new(Arc::clone(&env.clock), Arc::clone(&env.random));
        let database = database(records, env).await?;
        let jobs = Arc::new(Jobs::new(Arc::clone(&database), env.clone()));
        let iam = Arc::new(Iam::new(Arc::clone(&database), env.clone()));
        env.know(Arc::clone(&iam) as _);
        let kms = kms((&database, env, &jobs));
        let (audit, reader, delivery) = trails(data, &database, env)?;
        let intents = match data {
            Some(data) => {
                let server = server(data, env, is_shared)?;
                Some(recovered(&database, &*audit, Arc::clone(&reader), &server).await?)
            }
            None => None,
        };
        haechi_core::record_service_events(&jobs, Arc::clone(&audit));
        let organizations = organizations(&database, env, &jobs, &iam);
        let (records, time) = (Arc::clone(&database), env.clone());
        let cloudtrail = CloudTrail::new(records, time, Arc::clone(&jobs), reader, delivery)
            .with_organizations(Arc::clone(&organizations) as _);
        let cloudtrail = Arc::new(cloudtrail);
        let outbound = Arc::new(Outbound::default());
        let secrets = secrets((&database, env, &jobs), &kms, &audit, &outbound);
        let ssm = parameter_store((&database, env, &jobs), &kms, &secrets, data)?;
        let mut router = Router::default();
        organizations.mount(&mut router);
        cloudtrail.mount(&mut router);
        iam.mount(&mut router);
        kms.mount(&mut router);
        secrets.mount(&mut router);
        Arc::new(ssm).mount(&mut router);
        let (keys, sqs) = queues((&database, env, &jobs), &kms, &audit);
        sqs.mount(&mut router);
        let sts = Arc::new(Sts::new(Arc::clone(&database), Arc::clone(&iam) as _));
        sts.mount(&mut router);
        let recorder = Arc::new(Recorder(Arc::clone(&audit)));
        let roles = service_roles(env, (&sts, &iam, &organizations), &recorder);
        let (sns, endpoints) = notifications(&database, env, &jobs, (keys, &sqs, &outbound));
        sns.mount(&mut router);
        let (lambda, of_functions) = functions(&database, env, &jobs, (&sts, &roles), (&sqs, &sns));
        lambda.mount(&mut router);
        endpoints.call_functions(Arc::clone(&lambda));
        secrets.call_functions(Arc::new(RotationByLambda(Arc::clone(&lambda))));
        let services = (&sns, Arc::clone(&sqs), &lambda);
        let targets = event_targets(env, services, &recorder, &router);
        let around = (targets, &secrets, &outbound);
        let events = events((&database, env, &jobs), around, (roles, recorder), &mut router);
        of_functions.reach(&lambda, &events);
        Ok(Stack {
            database,
            iam,
            kms,
            secrets,
            sqs,
            lambda,
            organizations,
            cloudtrail,
            events,
            sns,
            endpoints,
            outbound,
            jobs,
            audit,
            intents,
            router,
            key_sets: None,
            peers: None,
        })
    }

    /// A stack in memory that nobody calls: for what can be told from the router alone.
    ///
    /// # Errors
    /// If randomness fails.
    pub async fn in_memory() -> Result<Stack, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(Timestamp::from_seconds(0));
        let env = environment(Arc::clone(&clock));
        let root = RootKey::generate(&*env.random)?;
        let store = Arc::new(MemStore::new(store_clock(&clock)));
        Stack::new(Records { store, root, epoch: 0, is_shared: false }, &env, None).await
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
