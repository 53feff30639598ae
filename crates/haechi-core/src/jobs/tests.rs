use std::sync::{Arc, Mutex};

use haechi_crypto::{RootKey, SystemRandom};
use haechi_store::Options;
use haechi_store_mem::MemStore;
use tokio::sync::Semaphore;

use super::*;
use crate::{Database, Env, MovableClock};

struct World {
    database: Arc<Database>,
    clock: Arc<MovableClock>,
    jobs: Arc<Jobs>,
}

impl World {
    async fn new() -> World {
        let store = Arc::new(MemStore::new(Options::new(|| std::time::Duration::ZERO)));
        let random = Arc::new(SystemRandom::new());
        let root = RootKey::generate(&*random).unwrap();
        let start = Timestamp::from_seconds(1000);
        let database = Database::open(store, root, random.clone(), start, 0).await.unwrap();
        let (database, clock) = (Arc::new(database), Arc::new(MovableClock::new(start)));
        let env = Env::new(Arc::clone(&clock) as _, random);
        let jobs = Arc::new(Jobs::new(Arc::clone(&database), env));
        World { database, clock, jobs }
    }

    async fn schedule(&self, jobs: &[(&str, &str, i64)]) {
        let mut batch = Batch::new();
        for (kind, id, due) in jobs {
            let due = Timestamp::from_seconds(*due);
            batch.schedule(&Job::new(kind, id, due, due.seconds().to_string()));
        }
        self.database.commit(batch).await.unwrap();
    }

    async fn left(&self) -> usize {
        self.database.names(&Path::new("jobs"), None, 1000).await.unwrap().0.len()
    }
}

/// Writes down what ran.
#[derive(Default)]
struct Ran(Mutex<Vec<String>>);

impl Ran {
    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl JobHandler for Ran {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        self.0.lock().unwrap().push(format!("{}@{}", job.id, job.payload));
        Ok(Batch::new())
    }
}

/// Waits until it may end; knows how many run.
struct Slow {
    may_end: Semaphore,
    running: Mutex<Vec<String>>,
    most: usize,
}

impl Slow {
    fn new(most: usize) -> Arc<Slow> {
        Arc::new(Slow { may_end: Semaphore::new(0), running: Mutex::default(), most })
    }

    async fn running(&self, count: usize) {
        while self.running.lock().unwrap().len() != count {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl JobHandler for Slow {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        self.running.lock().unwrap().push(job.id.clone());
        self.may_end.acquire().await.unwrap().forget();
        self.running.lock().unwrap().retain(|id| *id != job.id);
        Ok(Batch::new())
    }

    fn at_a_time(&self) -> usize {
        self.most
    }
}

#[tokio::test]
async fn jobs_of_an_id_run_in_order_once_they_fall_due_and_only_once() {
    let world = World::new().await;
    let ran = Arc::new(Ran::default());
    world.jobs.handle("note", Arc::clone(&ran) as _);
    world.schedule(&[("note", "a", 3000), ("note", "a", 2000), ("note", "a", 1500)]).await;
    world.schedule(&[("note", "cancelled", 1600)]).await;
    let mut batch = Batch::new();
    batch.cancel(&Job::new("note", "cancelled", Timestamp::from_seconds(1600), String::new()));
    world.database.commit(batch).await.unwrap();
    world.jobs.run_due().await.unwrap();
    assert!(ran.seen().is_empty());
    world.clock.advance(1500);
    world.jobs.run_due().await.unwrap();
    world.jobs.run_due().await.unwrap();
    assert_eq!(ran.seen(), ["a@1500", "a@2000"]);
}

#[tokio::test]
async fn a_slow_job_holds_up_neither_other_kinds_nor_other_ids() {
    let world = World::new().await;
    let (slow, ran) = (Slow::new(2), Arc::new(Ran::default()));
    world.jobs.handle("slow", Arc::clone(&slow) as _);
    world.jobs.handle("note", Arc::clone(&ran) as _);
    let looping = {
        let jobs = Arc::clone(&world.jobs);
        tokio::spawn(async move { jobs.run_forever().await })
    };
    world.schedule(&[("slow", "a", 1), ("slow", "a", 2), ("slow", "b", 3), ("slow", "c", 4)]).await;
    slow.running(2).await;
    assert_eq!(*slow.running.lock().unwrap(), ["a", "b"]);
    world.schedule(&[("note", "x", 5)]).await;
    while ran.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.left().await, 4);
    let due = {
        let jobs = Arc::clone(&world.jobs);
        tokio::spawn(async move { jobs.run_due().await })
    };
    for left in [3, 2, 1] {
        slow.may_end.add_permits(1);
        while world.left().await != left {
            tokio::task::yield_now().await;
        }
        assert!(!due.is_finished());
    }
    slow.may_end.add_permits(1);
    due.await.unwrap().unwrap();
    assert_eq!(world.left().await, 0);
    looping.abort();
}

/// Calls for another job until there were enough.
struct Chain(Arc<Ran>);

#[async_trait]
impl JobHandler for Chain {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        self.0.run(job, now).await?;
        let mut batch = Batch::new();
        let count: i64 = job.payload.parse().unwrap();
        if count > 0 {
            let due = Timestamp::from_millis(job.due_ms + 1);
            batch.schedule(&Job::new("chain", &job.id, due, (count - 1).to_string()));
        }
        Ok(batch)
    }
}

#[tokio::test]
async fn what_is_due_is_run_with_what_it_brings_about() {
    let world = World::new().await;
    let ran = Arc::new(Ran::default());
    world.jobs.handle("chain", Arc::new(Chain(Arc::clone(&ran))));
    world.schedule(&[("chain", "a", 2), ("chain", "b", 1)]).await;
    world.jobs.run_due().await.unwrap();
    let mut seen = ran.seen();
    seen.sort();
    assert_eq!(seen, ["a@0", "a@1", "a@2", "b@0", "b@1"]);
}

/// Fails, or panics.
struct Broken;

#[async_trait]
impl JobHandler for Broken {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        assert!(job.id != "panics", "as it is to");
        Err(Fault::internal("no"))
    }
}

#[tokio::test]
async fn a_job_that_fails_or_panics_or_has_no_handler_is_put_off_and_stops_nobody() {
    let world = World::new().await;
    let ran = Arc::new(Ran::default());
    world.jobs.handle("broken", Arc::new(Broken));
    world.jobs.handle("note", Arc::clone(&ran) as _);
    world.schedule(&[("broken", "fails", 1), ("broken", "panics", 2), ("none", "x", 3)]).await;
    world.schedule(&[("note", "a", 4)]).await;
    world.jobs.run_due().await.unwrap();
    assert_eq!(ran.seen(), ["a@4"]);
    let (names, _) = world.database.names(&Path::new("jobs"), None, 9).await.unwrap();
    let due: Vec<i64> = names.iter().map(|key| plan::Due::parse(key).unwrap().due_ms).collect();
    assert_eq!(due, [1_030_000; 3]);
}

#[tokio::test]
async fn far_more_jobs_than_are_kept_in_mind_all_run() {
    let world = World::new().await;
    let ran = Arc::new(Ran::default());
    world.jobs.handle("note", Arc::clone(&ran) as _);
    let count = plan::WAITING_MAX * 2 + 10;
    let ids: Vec<String> = (0..count).map(|id| format!("{id:05}")).collect();
    for ids in ids.chunks(50) {
        let jobs: Vec<(&str, &str, i64)> = ids.iter().map(|id| ("note", id.as_str(), 1)).collect();
        world.schedule(&jobs).await;
    }
    world.jobs.run_due().await.unwrap();
    assert_eq!(ran.seen().len(), count);
}

/// Comes again, due at the same time, until it has run three times.
#[derive(Default)]
struct Again(Mutex<Vec<String>>);

#[async_trait]
impl JobHandler for Again {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        let mut ran = self.0.lock().unwrap();
        ran.push(job.payload.clone());
        let mut batch = Batch::new();
        if ran.len() < 3 {
            batch.schedule(&Job { payload: format!("{}+", job.payload), ..job.clone() });
        }
        Ok(batch)
    }
}

#[tokio::test]
async fn a_job_may_come_again_due_at_the_same_time() {
    let world = World::new().await;
    let again = Arc::new(Again::default());
    world.jobs.handle("again", Arc::clone(&again) as _);
    world.schedule(&[("again", "1", 1000)]).await;
    world.jobs.run_due().await.unwrap();
    assert_eq!(*again.0.lock().unwrap(), ["1000", "1000+", "1000++"]);
    assert_eq!(world.left().await, 0);
}

/// Calls for its like at once, for ever.
struct Endless(Arc<Slow>);

#[async_trait]
impl JobHandler for Endless {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        self.0.run(job, now).await?;
        let mut batch = Batch::new();
        batch.schedule(job);
        Ok(batch)
    }
}

#[tokio::test]
async fn what_is_endless_is_not_waited_for_but_all_else_is_with_what_it_brings_about() {
    let world = World::new().await;
    let (ran, slow) = (Arc::new(Ran::default()), Slow::new(1));
    world.jobs.handle_endless("endless", Arc::new(Endless(Arc::clone(&slow))));
    world.jobs.handle("chain", Arc::new(Chain(Arc::clone(&ran))));
    world.schedule(&[("endless", "e", 1), ("chain", "a", 2)]).await;
    for may_end in [0, 5] {
        slow.may_end.add_permits(may_end);
        world.jobs.run_due().await.unwrap();
        assert_eq!(ran.seen(), ["a@2", "a@1", "a@0"]);
    }
    assert_eq!(world.left().await, 1);
}

#[tokio::test]
async fn an_end_waits_for_what_runs_but_not_for_ever_and_lets_nothing_else_begin() {
    let world = World::new().await;
    let slow = Slow::new(1);
    world.jobs.handle("slow", Arc::clone(&slow) as _);
    let jobs = Arc::clone(&world.jobs);
    let looping = tokio::spawn(async move { jobs.run_forever().await });
    world.schedule(&[("slow", "a", 1), ("slow", "b", 2)]).await;
    slow.running(1).await;
    looping.abort();
    let _ = looping.await;
    assert!(!world.jobs.settle(std::time::Duration::from_millis(10)).await);
    slow.may_end.add_permits(2);
    assert!(world.jobs.settle(std::time::Duration::from_secs(60)).await);
    assert_eq!(world.left().await, 1);
}

#[tokio::test]
async fn jobs_that_were_scheduled_before_what_was_seen_last_are_found() {
    let world = World::new().await;
    let ran = Arc::new(Ran::default());
    world.jobs.handle("note", Arc::clone(&ran) as _);
    world.schedule(&[("note", "later", 2000)]).await;
    world.jobs.run_due().await.unwrap();
    for (round, due) in [990, 5, 1000].into_iter().enumerate() {
        world.schedule(&[("note", &format!("job-{round}"), due)]).await;
        world.jobs.run_due().await.unwrap();
        assert_eq!(ran.seen().len(), round + 1, "{due}");
    }
    world.clock.advance(1000);
    world.jobs.run_due().await.unwrap();
    assert_eq!((ran.seen().len(), world.left().await), (4, 0));
}

/// Reads a number.
struct Reading;

#[async_trait]
impl JobHandler for Reading {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        job.read::<i64>().map(|_| Batch::new())
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_kept_and_seldom_tried() {
    let world = World::new().await;
    world.jobs.handle("reading", Arc::new(Reading));
    let mut batch = Batch::new();
    for (id, payload) in [("read", "1"), ("unreadable", "of the future")] {
        let due = Timestamp::from_seconds(1);
        batch.schedule(&Job::new("reading", id, due, payload.to_owned()));
    }
    world.database.commit(batch).await.unwrap();
    world.jobs.run_due().await.unwrap();
    let jobs = world.database.list::<Job>(&Path::new("jobs"), None, 9).await.unwrap().items;
    let [left] = jobs.as_slice() else { panic!("{}", jobs.len()) };
    let due_seconds = left.value.due_ms / 1000;
    assert_eq!((left.value.id.as_str(), due_seconds), ("unreadable", 1000 + 6 * 3600));
}
