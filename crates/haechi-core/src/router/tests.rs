use std::sync::Arc;

use haechi_crypto::{RootKey, SystemRandom};
use haechi_policy::Principal;
use haechi_store::Options;
use haechi_store_mem::MemStore;
use haechi_wire::json::JsonReader;
use haechi_wire::{Timestamp, shape::Unit};
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    AccountId, Batch, Caller, Database, Env, Path, PrincipalPolicies, Record, Region, RequestInfo,
};

static SERVICE: ServiceSchema = ServiceSchema {
    name: "counter",
    full_name: "",
    version: "",
    target_prefix: "Counter",
    xml_namespace: "",
    protocols: &[],
    operations: &["Count"],
    routes: &[],
    address: None,
};

struct Count;

impl Operation for Count {
    const SCHEMA: &'static OperationSchema = &OperationSchema {
        service: &SERVICE,
        name: "Count",
        action: "counter:Count",
        method: "POST",
        uri: "/",
        status: 200,
        input: &haechi_wire::schema::UNIT,
        output: &haechi_wire::schema::UNIT,
        result_wrapper: None,
        read_only: false,
    };
    type Input = Unit;
    type Output = Unit;
    type Error = Failed;
}

struct Failed(Fault);

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Failed(fault)
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        Problem::Fault(failed.0)
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Number(u64);

impl Record for Number {}

struct Counter(Database);

impl Handle<Count> for Counter {
    async fn handle(&self, _: &Cx, _: Unit) -> Result<Unit, Failed> {
        let path = Path::new("counter").part("all");
        let found = self.0.load::<Number>(&path).await?;
        tokio::task::yield_now().await;
        let mut batch = Batch::new();
        match found {
            Some(found) => batch.replace(&found, &Number(found.value.0 + 1)),
            None => batch.create(path, &Number(1)),
        }
        Ok(self.0.commit(batch).await.map(|()| Unit)?)
    }
}

fn call(env: &Env) -> Cx {
    let account = AccountId::parse("111122223333").unwrap();
    let caller = Caller {
        principal: Principal::Root { arn: String::new(), account: account.as_str().to_owned() },
        account,
        access_key_id: String::new(),
        user_id: String::new(),
        user_name: None,
        tags: Vec::new(),
        policies: PrincipalPolicies::default(),
        issued: None,
        session: None,
    };
    let request = RequestInfo {
        id: String::new(),
        source_ip: std::net::Ipv4Addr::LOCALHOST.into(),
        user_agent: None,
        host: None,
        referer: None,
        trace: None,
        secure_transport: false,
        time: env.now(),
    };
    let region = Region::parse("eu-west-1").unwrap();
    Cx::new(env.clone(), request, region, Arc::new(caller), Count::SCHEMA)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_change_one_thing_at_once_all_come_through() {
    let clock = Arc::new(Timestamp::from_seconds(0));
    let env = Env::new(clock, Arc::new(SystemRandom::new()));
    let store = Arc::new(MemStore::new(Options::new(|| Duration::ZERO)));
    let root = RootKey::generate(&*env.random).unwrap();
    let random = Arc::clone(&env.random);
    let database = Database::open(store, root, random, env.now(), 0).await.unwrap();
    let counter = Arc::new(Counter(database));
    let mut router = Router::default();
    router.service(&SERVICE);
    router.mount::<Count, Counter>(&counter);
    let router = Arc::new(router);
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let (router, env) = (Arc::clone(&router), env.clone());
            tokio::spawn(async move {
                let endpoint = router.endpoint(&SERVICE, "Count").unwrap();
                let call_of = endpoint.decode(&mut JsonReader::new(b"{}")).unwrap();
                let cx = call(&env);
                call_of.run(&cx).await.map(|_| ()).map_err(|problem| problem.message())
            })
        })
        .collect();
    for ended in calls {
        assert_eq!(ended.await.unwrap(), Ok(()));
    }
    let path = Path::new("counter").part("all");
    let counted = counter.0.load::<Number>(&path).await.unwrap().unwrap();
    assert_eq!(counted.value.0, 500);
}
