use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt;
use haechi_crypto::{RootKey, SystemRandom};
use haechi_store::archive::Summary;
use haechi_store::{
    Cond, Key, Kv, Lease, LeaseId, Op, Options, Page, Range, Rev, Store, StoreError, TxnError,
    Watch,
};
use haechi_store_mem::MemStore;
use haechi_wire::Timestamp;
use tokio::task::JoinHandle;

mod changes;

use super::*;
use crate::database::Unknown;
use crate::{Batch, Database, Env, Job, JobHandler, Jobs, Path, Record, SystemClock};

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Note {
    text: String,
    #[serde(flatten)]
    unknown: Unknown,
}
impl Record for Note {}

fn store() -> Arc<dyn Store> {
    let env = SystemClock;
    let now = move || {
        let now = crate::Clock::now(&env).millis();
        std::time::Duration::from_millis(u64::try_from(now).unwrap())
    };
    Arc::new(MemStore::new(Options::new(now)))
}

/// A node, and its loops until it is killed.
struct Node {
    database: Arc<Database>,
    cluster: Arc<Cluster>,
    jobs: Arc<Jobs>,
    loops: Vec<JoinHandle<()>>,
}

async fn database(store: &Arc<dyn Store>) -> Arc<Database> {
    let root = RootKey::copy_from(&[7; 32]).unwrap();
    let random = Arc::new(SystemRandom::new());
    let store = Arc::clone(store);
    let now = crate::Clock::now(&SystemClock);
    Arc::new(Database::open(store, root, random, now, 0).await.unwrap())
}

fn row(id: &str, format: u32) -> NodeRow {
    NodeRow {
        id: id.to_owned(),
        address: "127.0.0.1:1".to_owned(),
        version: "0".to_owned(),
        format,
        state: NodeState::Serving,
        seen_ms: 0,
        lag_ms: None,
        shards: Vec::new(),
        root: None,
    }
}

impl Node {
    async fn with_format(store: &Arc<dyn Store>, id: &str, format: u32) -> Node {
        let database = database(store).await;
        let env = Env::new(Arc::new(SystemClock), Arc::new(SystemRandom::new()));
        let jobs = Arc::new(Jobs::new(Arc::clone(&database), env.clone()));
        let cluster = Cluster::join(Arc::clone(&database), env, row(id, format)).await.unwrap();
        jobs.share(cluster.ownership()).unwrap();
        Node { database, cluster: Arc::new(cluster), jobs, loops: Vec::new() }
    }

    async fn new(store: &Arc<dyn Store>, id: &str) -> Node {
        Node::with_format(store, id, FORMAT).await
    }

    fn run(&mut self) {
        let (cluster, jobs) = (Arc::clone(&self.cluster), Arc::clone(&self.jobs));
        self.loops.push(tokio::spawn(async move { cluster.run().await }));
        self.loops.push(tokio::spawn(async move { jobs.run_forever().await }));
    }

    async fn running(store: &Arc<dyn Store>, id: &str) -> Node {
        let mut node = Node::new(store, id).await;
        node.run();
        node
    }

    fn kill(&self) {
        self.loops.iter().for_each(JoinHandle::abort);
    }

    async fn owns(&self, count: usize) {
        until(|| self.cluster.standing().shards.len() == count).await;
    }

    async fn note(&self, text: &str) {
        let mut batch = Batch::new();
        let note = Note { text: text.to_owned(), unknown: Unknown::new() };
        batch.put(Path::new("note").part("1").part("x"), &note);
        self.database.commit(batch).await.unwrap();
    }

    async fn cached(&self) -> String {
        let path = Path::new("note").part("1").part("x");
        let text = self.database.cached::<Note, String>(&path, |note| Ok(note.text));
        text.await.unwrap().unwrap().as_ref().clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn what_one_node_has_cached_is_stale_once_another_has_written() {
    let store = store();
    let (one, two) = (Node::running(&store, "a").await, Node::running(&store, "b").await);
    for round in 0..20 {
        let text = round.to_string();
        one.note(&text).await;
        assert_eq!(one.cached().await, text, "on the node that wrote, at once");
        while two.cached().await != text {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert!(two.database.age().unwrap() < freshness::BOUND);
    }
}

#[tokio::test]
async fn a_node_that_cannot_prove_that_it_follows_reads_the_store_each_time() {
    let store = store();
    let (one, two) = (Node::running(&store, "a").await, Node::new(&store, "b").await);
    // It does not follow at all.
    for text in ["1", "2", "3"] {
        one.note(text).await;
        assert_eq!(two.cached().await, text);
    }
    store.close().await.unwrap();
    let path = Path::new("note").part("1").part("x");
    assert!(two.database.cached::<Note, String>(&path, |note| Ok(note.text)).await.is_err());
}

#[tokio::test]
async fn a_node_that_stopped_following_serves_nothing_older_than_the_bound() {
    let store = store();
    let (one, two) = (Node::running(&store, "a").await, Node::running(&store, "b").await);
    one.note("old").await;
    until(|| two.database.age().is_some_and(|age| age < freshness::BOUND)).await;
    assert_eq!(two.cached().await, "old");
    two.kill();
    one.note("new").await;
    let begun = tokio::time::Instant::now();
    while two.cached().await != "new" {
        assert!(begun.elapsed() <= freshness::BOUND);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_domain_key_that_another_node_made_opens_at_once() {
    let store = store();
    let (one, two) = (Node::new(&store, "a").await, Node::new(&store, "b").await);
    let later = crate::Clock::now(&SystemClock).plus_seconds(2 * 86_400);
    assert_eq!(one.database.rotate_if_due(later).await.unwrap(), Some(2));
    one.note("under the new key").await;
    assert_eq!(two.cached().await, "under the new key");
    assert_eq!(two.database.keyring().current_id(), 2);
    // Both at once: one wins, the other takes it over.
    let later = later.plus_seconds(2 * 86_400);
    let third = Node::new(&store, "c").await;
    assert_eq!(one.database.rotate_if_due(later).await.unwrap(), Some(3));
    assert_eq!(third.database.rotate_if_due(later).await.unwrap(), None);
    assert_eq!(third.database.keyring().current_id(), 3);
}

#[tokio::test]
async fn duties_are_shared_and_taken_over() {
    let store = store();
    let one = Node::running(&store, "a").await;
    one.owns(16).await;
    let two = Node::running(&store, "b").await;
    tokio::join!(one.owns(8), two.owns(8));
    let three = Node::running(&store, "c").await;
    until(|| three.cluster.standing().shards.len() >= 4).await;
    until(|| {
        [&one, &two, &three].iter().map(|node| node.cluster.standing().shards.len()).sum::<usize>()
            == 16
    })
    .await;
    // Stops cleanly: at once, without waiting for its lease.
    three.cluster.leave().await;
    three.kill();
    tokio::join!(one.owns(8), two.owns(8));
    // Dies: when its lease has ended.
    two.kill();
    let begun = tokio::time::Instant::now();
    one.owns(16).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    let left = nodes(&*store).await.unwrap();
    assert_eq!(left.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["a"]);
}

/// Counts what runs, by job, and how often two ran at once.
#[derive(Default)]
struct Witness {
    running: Mutex<std::collections::HashMap<String, usize>>,
    ran: AtomicUsize,
    twice: AtomicBool,
}

struct Watched(Arc<Witness>);

#[async_trait]
impl JobHandler for Watched {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, haechi_wire::Fault> {
        let begun = {
            let mut running = self.0.running.lock().unwrap();
            let count = running.entry(job.id.clone()).or_default();
            *count += 1;
            *count
        };
        if begun > 1 {
            self.0.twice.store(true, std::sync::atomic::Ordering::SeqCst);
        }
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        *self.0.running.lock().unwrap().get_mut(&job.id).unwrap() -= 1;
        self.0.ran.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(Batch::new())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nodes_come_and_go_each_job_runs_once_and_nothing_runs_twice_at_once() {
    let store = store();
    let witness = Arc::new(Witness::default());
    let mut nodes: Vec<Node> = Vec::new();
    for id in ["a", "b", "c"] {
        let mut node = Node::new(&store, id).await;
        node.jobs.handle("watched", Arc::new(Watched(Arc::clone(&witness))));
        node.run();
        nodes.push(node);
    }
    let count = 300;
    for id in 0..count {
        let mut batch = Batch::new();
        let (due, id) = (Timestamp::from_seconds(i64::from(id)), format!("{id}"));
        batch.schedule(&Job::new("watched", &id, due, String::new()));
        nodes[0].database.commit(batch).await.unwrap();
        if id == "150" {
            let gone = nodes.pop().unwrap();
            gone.cluster.leave().await;
        }
    }
    let left = || async {
        nodes[0].database.names(&Path::new("jobs"), None, 1).await.unwrap().0.is_empty()
    };
    while !left().await {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(!witness.twice.load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(witness.ran.load(std::sync::atomic::Ordering::SeqCst), count as usize);
}

#[tokio::test]
async fn a_node_whose_lease_has_ended_commits_nothing() {
    let store = store();
    let one = Node::running(&store, "a").await;
    one.owns(16).await;
    let claim = one.cluster.ownership().claim("k", "x").unwrap();
    one.note("before").await;
    // It sleeps: its loops stand still, and it believes that it has its lease.
    one.kill();
    let two = Node::running(&store, "b").await;
    two.owns(16).await;
    let mut batch = Batch::new();
    let note = Note { text: "late".to_owned(), unknown: Unknown::new() };
    batch.put(Path::new("note").part("1").part("x"), &note);
    let late = claim.hold(one.database.commit(batch)).await;
    assert!(matches!(late, Err(haechi_wire::Fault::Conflict)));
    assert!(!claim.stands());
    assert_eq!(two.cached().await, "before");
}

#[tokio::test]
async fn the_format_rises_once_all_nodes_know_it_and_who_knows_less_does_not_join() {
    let store = store();
    let before = database(&store).await;
    let mut newer = Node::with_format(&store, "new", 2).await;
    let old = Node::running(&store, "old").await;
    old.owns(16).await;
    newer.run();
    newer.owns(8).await;
    assert_eq!(newer.cluster.standing().format, 1, "the old one would not understand");
    old.cluster.leave().await;
    old.kill();
    until(|| newer.cluster.standing().format == 2).await;
    let env = Env::new(Arc::new(SystemClock), Arc::new(SystemRandom::new()));
    let refused = Cluster::join(before, env, row("old", 1)).await;
    assert!(refused.is_err_and(|fault| format!("{fault:?}").contains("use a newer version")));
}

/// A store whose watches can be made to hang, while everything else answers.
struct Deaf {
    inner: Arc<dyn Store>,
    hangs: Arc<AtomicBool>,
}

#[async_trait]
impl Store for Deaf {
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        self.inner.get(keys, at).await
    }
    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError> {
        self.inner.range(range, limit, at).await
    }
    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        self.inner.txn(when, then).await
    }
    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        let hangs = Arc::clone(&self.hangs);
        let told = self.inner.watch(prefix, from).then(move |batch| {
            let hangs = Arc::clone(&hangs);
            async move {
                while hangs.load(Ordering::SeqCst) {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                batch
            }
        });
        told.boxed()
    }
    async fn lease(&self, ttl: std::time::Duration) -> Result<Lease, StoreError> {
        self.inner.lease(ttl).await
    }
    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.inner.keep_alive(lease).await
    }
    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.inner.revoke(lease).await
    }
    async fn expire(&self) -> Result<(), StoreError> {
        self.inner.expire().await
    }
    async fn export(&self, writer: Box<dyn std::io::Write + Send>) -> Result<Summary, StoreError> {
        self.inner.export(writer).await
    }
    async fn import(&self, reader: Box<dyn std::io::Read + Send>) -> Result<Summary, StoreError> {
        self.inner.import(reader).await
    }
    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

#[tokio::test]
async fn a_node_whose_watch_alone_hangs_serves_nothing_older_than_the_bound() {
    let store = store();
    let hangs = Arc::new(AtomicBool::new(false));
    let deaf: Arc<dyn Store> =
        Arc::new(Deaf { inner: Arc::clone(&store), hangs: Arc::clone(&hangs) });
    let (one, two) = (Node::running(&store, "a").await, Node::running(&deaf, "b").await);
    one.note("old").await;
    // Then its age tells of a proof.
    tokio::time::sleep(freshness::BOUND).await;
    until(|| two.database.age().is_some_and(|age| age < freshness::BOUND)).await;
    for round in 0..3 {
        // What was cached before it hung is decided by for a second at the most, and what is read
        // meanwhile is read each time.
        assert!(!two.cached().await.is_empty());
        hangs.store(true, Ordering::SeqCst);
        let text = format!("new {round}");
        one.note(&text).await;
        let begun = tokio::time::Instant::now();
        while two.cached().await != text {
            assert!(begun.elapsed() <= freshness::BOUND);
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let later = format!("later {round}");
        one.note(&later).await;
        tokio::time::sleep(freshness::BOUND).await;
        assert_eq!(two.cached().await, later);
        let age = two.database.age().unwrap();
        assert!(age >= freshness::BOUND, "{round}: {age:?}");
        hangs.store(false, Ordering::SeqCst);
        until(|| two.database.age().is_some_and(|age| age < freshness::BOUND)).await;
        assert_eq!(two.cached().await, later);
    }
}
