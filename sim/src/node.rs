//! A node: the real database, cluster and jobs, on a machine that may die and start again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::cluster::FORMAT;
use haechi_core::{
    Batch, Cluster, Database, Env, Job, JobHandler, Jobs, NodeRow, NodeState, Path, Record,
};
use haechi_crypto::RootKey;
use haechi_store::Store;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::random::{Draws, Seeded};
use crate::world::{Far, Machine, World};

/// The kind of the jobs.
pub const KIND: &str = "sim";

/// A number in a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    pub number: u64,
    #[serde(flatten)]
    pub unknown: BTreeMap<String, ciborium::Value>,
}

impl Record for Note {}

impl Note {
    pub fn new(number: u64) -> Note {
        Note { number, unknown: BTreeMap::new() }
    }
}

/// A handler at work, or done.
pub struct Run {
    pub job: String,
    pub machine: Arc<Machine>,
    pub begun: Instant,
    pub ended: Option<Instant>,
}

/// What all handlers saw.
pub type Runs = Arc<Mutex<Vec<Run>>>;

struct Handler {
    machine: Arc<Machine>,
    database: Arc<Database>,
    runs: Runs,
    count: AtomicU64,
}

#[async_trait]
impl JobHandler for Handler {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        // As duties do whose effects lie outside.
        self.database.still_claimed().await?;
        let index = {
            let mut runs = self.runs.lock().unwrap();
            let (job, machine) = (job.id.clone(), Arc::clone(&self.machine));
            runs.push(Run { job, machine, begun: Instant::now(), ended: None });
            runs.len() - 1
        };
        let mut draws = self.machine.world.draws(format!("run {}", job.id).into_bytes());
        sleep(Duration::from_millis(draws.below(800))).await;
        self.machine.awake().await;
        self.runs.lock().unwrap()[index].ended = Some(Instant::now());
        if !self.machine.world.is_calm() && draws.hit(20) {
            return Err(Fault::internal("as may happen"));
        }
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let name = format!("{}-{}-{count}", self.machine.id, self.machine.life);
        let mut batch = Batch::new();
        batch.create(Path::new("effect").part(&job.id).part(&name), &Note::new(count));
        Ok(batch)
    }
}

/// A life of a node.
pub struct Node {
    pub machine: Arc<Machine>,
    pub database: Arc<Database>,
    pub cluster: Arc<Cluster>,
    pub jobs: Arc<Jobs>,
    loops: Vec<JoinHandle<()>>,
}

/// The records, as a machine opens them; tries until it can.
pub async fn open(machine: &Arc<Machine>) -> Arc<Database> {
    loop {
        let store: Arc<dyn Store> = Arc::new(Far(Arc::clone(machine)));
        let root = RootKey::copy_from(&[7; 32]).unwrap();
        let world = &machine.world;
        let random = Arc::new(Seeded::new(Draws::new(world.seed, machine.id.as_bytes())));
        let now = haechi_core::Clock::now(&**machine);
        match Database::open(store, root, random, now, 0).await {
            Ok(database) => return Arc::new(database),
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Node {
    /// Starts it for the `life`th time.
    pub async fn start(world: &Arc<World>, id: &str, life: u64, runs: &Runs) -> Node {
        let machine = Machine::new(world, id, life);
        let database = open(&machine).await;
        let random = Arc::new(Seeded::new(Draws::new(world.seed ^ 1, id.as_bytes())));
        let env = Env::new(Arc::clone(&machine) as _, random);
        let row = NodeRow {
            id: id.to_owned(),
            address: "127.0.0.1:1".to_owned(),
            version: "0".to_owned(),
            format: FORMAT,
            state: NodeState::Serving,
            seen_ms: 0,
            lag_ms: None,
            shards: Vec::new(),
            root: None,
        };
        let cluster = loop {
            match Cluster::join(Arc::clone(&database), env.clone(), row.clone()).await {
                Ok(cluster) => break Arc::new(cluster),
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        };
        let jobs = Arc::new(Jobs::new(Arc::clone(&database), env));
        jobs.share(cluster.ownership()).unwrap();
        let handler = Handler {
            machine: Arc::clone(&machine),
            database: Arc::clone(&database),
            runs: Arc::clone(runs),
            count: AtomicU64::new(0),
        };
        jobs.handle(KIND, Arc::new(handler));
        let mut node = Node { machine, database, cluster, jobs, loops: Vec::new() };
        let (cluster, jobs) = (Arc::clone(&node.cluster), Arc::clone(&node.jobs));
        node.loops.push(tokio::spawn(async move { cluster.run().await }));
        node.loops.push(tokio::spawn(async move { jobs.run_forever().await }));
        node
    }

    /// The machine loses its power.
    pub fn kill(&self) {
        self.machine.kill();
        self.loops.iter().for_each(JoinHandle::abort);
    }

    /// Stops as an operator stops it.
    pub async fn leave(&self) {
        self.cluster.leave().await;
        self.kill();
    }
}
