//! The store as one node sees it from afar: delays, lost requests, lost answers, writes that come
//! late, and the node itself asleep, cut off or dead.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use haechi_core::Clock;
use haechi_store::archive::Summary;
use haechi_store::{
    Cond, Key, Kv, Lease, LeaseId, Op, Options, Page, Range, Rev, Store, StoreError, TxnError,
    Watch,
};
use haechi_store_mem::MemStore;
use haechi_wire::Timestamp;
use tokio::time::{Instant, sleep, sleep_until};

use crate::random::Draws;

/// The time of day when a schedule begins.
const EPOCH_MS: i64 = 1_800_000_000_000;

/// Answers that come later than this count as a disturbance.
const LATE: Duration = Duration::from_millis(200);

/// A store that does not keep its promises: the controls that show that the simulation would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// None: it does.
    None,
    /// Its watches leave changes out.
    LossyWatch,
    /// Its leases end before their time.
    HastyLeases,
}

/// What all nodes share.
pub struct World {
    pub seed: u64,
    control: Control,
    pub store: MemStore,
    pub begun: Instant,
    calm: AtomicBool,
    counts: Mutex<HashMap<Vec<u8>, u64>>,
    /// Commits, in order: the schedule repeats if they do.
    pub trace: Mutex<Vec<String>>,
    pub broken: Mutex<Vec<String>>,
}

impl World {
    pub fn new(seed: u64, control: Control) -> Arc<World> {
        let begun = Instant::now();
        let options = Options::new(move || Duration::from_secs(1_000) + begun.elapsed());
        Arc::new(World {
            seed,
            control,
            store: MemStore::new(options),
            begun,
            calm: AtomicBool::new(false),
            counts: Mutex::default(),
            trace: Mutex::default(),
            broken: Mutex::default(),
        })
    }

    /// Nothing is lost any more: the end of a schedule.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::SeqCst);
    }

    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }

    pub fn break_promise(&self, what: String) {
        self.broken.lock().unwrap().push(what);
    }

    /// The draws for one more time that `name` happens.
    pub fn draws(&self, name: Vec<u8>) -> Draws {
        let count = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            *count
        };
        Draws::new(self.seed ^ count << 32, &name)
    }
}

/// A node's machine: whether it runs, reaches the store, and what time it believes it is.
pub struct Machine {
    pub id: String,
    /// How often the node has started.
    pub life: u64,
    pub world: Arc<World>,
    asleep_until: Mutex<Instant>,
    cut_until: Mutex<Instant>,
    dead: AtomicBool,
    clock_ms: AtomicI64,
    /// When it could not do what it wanted in time.
    disturbed: Mutex<Vec<(Instant, Instant)>>,
}

impl Machine {
    pub fn new(world: &Arc<World>, id: &str, life: u64) -> Arc<Machine> {
        let now = Instant::now();
        Arc::new(Machine {
            id: id.to_owned(),
            life,
            world: Arc::clone(world),
            asleep_until: Mutex::new(now),
            cut_until: Mutex::new(now),
            dead: AtomicBool::new(false),
            clock_ms: AtomicI64::new(0),
            disturbed: Mutex::default(),
        })
    }

    pub fn sleep_for(&self, time: Duration) {
        *self.asleep_until.lock().unwrap() = Instant::now() + time;
        self.disturb(Instant::now(), Instant::now() + time);
    }

    pub fn cut_for(&self, time: Duration) {
        *self.cut_until.lock().unwrap() = Instant::now() + time;
        self.disturb(Instant::now(), Instant::now() + time);
    }

    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.disturb(Instant::now(), Instant::now() + Duration::from_secs(1_000_000));
    }

    /// From now on its clock is off by so much.
    pub fn set_clock(&self, off_ms: i64) {
        self.clock_ms.store(off_ms, Ordering::SeqCst);
    }

    /// Everything is as it should be, but for a machine that is dead.
    pub fn mend(&self) {
        let now = Instant::now();
        *self.asleep_until.lock().unwrap() = now;
        *self.cut_until.lock().unwrap() = now;
    }

    fn disturb(&self, from: Instant, to: Instant) {
        self.disturbed.lock().unwrap().push((from, to));
    }

    pub fn was_disturbed(&self, from: Instant, to: Instant) -> bool {
        let disturbed = self.disturbed.lock().unwrap();
        disturbed.iter().any(|(begun, ended)| *begun <= to && *ended >= from)
    }

    /// Waits until the node runs; for ever if it is dead.
    pub async fn awake(&self) {
        loop {
            if self.dead.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let until = *self.asleep_until.lock().unwrap();
            if Instant::now() >= until {
                return;
            }
            sleep_until(until.min(Instant::now() + Duration::from_millis(100))).await;
        }
    }

    fn is_cut(&self) -> bool {
        Instant::now() < *self.cut_until.lock().unwrap()
    }

    fn draws(&self, operation: &str, key: &[u8]) -> Draws {
        self.world.draws([self.id.as_bytes(), operation.as_bytes(), key].concat())
    }

    /// The way of a question to the store; an error if it gets lost.
    async fn go(&self, draws: &mut Draws) -> Result<(), StoreError> {
        self.awake().await;
        sleep(Duration::from_millis(1 + draws.below(12))).await;
        if self.is_cut() {
            if draws.hit(2) {
                sleep(Duration::from_millis(draws.below(2500))).await;
            }
            return Err(unavailable());
        }
        if !self.world.is_calm() && draws.hit(40) {
            return Err(unavailable());
        }
        Ok(())
    }

    /// The way of its answer.
    async fn come(&self, draws: &mut Draws) -> Result<(), StoreError> {
        let mut time = Duration::from_millis(1 + draws.below(12));
        if !self.world.is_calm() && draws.hit(60) {
            time = Duration::from_millis(draws.below(4000));
        }
        if time > LATE {
            self.disturb(Instant::now(), Instant::now() + time);
        }
        sleep(time).await;
        self.awake().await;
        if self.is_cut() || (!self.world.is_calm() && draws.hit(40)) {
            return Err(unanswered());
        }
        Ok(())
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.world.begun.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(EPOCH_MS + passed + self.clock_ms.load(Ordering::SeqCst))
    }
}

/// The store, from a machine.
pub struct Far(pub Arc<Machine>);

impl Far {
    async fn write(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        let (machine, world) = (&self.0, &self.0.world);
        let key = then.first().map_or(&b""[..], |op| op.key().as_bytes()).to_vec();
        let mut draws = machine.draws("txn", &key);
        machine.go(&mut draws).await?;
        if !world.is_calm() && draws.hit(25) {
            // It comes when nobody waits for it any more, or not at all.
            if draws.below(3) > 0 {
                let (world, when, time) = (Arc::clone(world), when.to_vec(), draws.below(6000));
                tokio::spawn(async move {
                    sleep(Duration::from_millis(time)).await;
                    let outcome = world.store.txn(&when, then).await;
                    world.trace.lock().unwrap().push(format!("late {outcome:?}"));
                });
            }
            sleep(Duration::from_millis(draws.below(2500))).await;
            machine.awake().await;
            return Err(unanswered().into());
        }
        let outcome = world.store.txn(when, then).await;
        let (when, what) = (world.begun.elapsed(), String::from_utf8_lossy(&key));
        let told = format!("{when:?} {} {what} {outcome:?}", machine.id);
        world.trace.lock().unwrap().push(told);
        machine.come(&mut draws).await?;
        outcome
    }
}

#[async_trait]
impl Store for Far {
    async fn get(
        &self,
        keys: &[Key],
        at: Option<Rev>,
    ) -> Result<(Vec<Option<Kv>>, Rev), StoreError> {
        let key = keys.first().map_or(&b""[..], Key::as_bytes);
        let mut draws = self.0.draws("get", key);
        self.0.go(&mut draws).await?;
        let answer = self.0.world.store.get(keys, at).await;
        self.0.come(&mut draws).await.map_err(|_| unavailable())?;
        answer
    }

    async fn range(&self, range: Range, limit: u32, at: Option<Rev>) -> Result<Page, StoreError> {
        let mut draws = self.0.draws("range", format!("{range:?}").as_bytes());
        self.0.go(&mut draws).await?;
        let answer = self.0.world.store.range(range, limit, at).await;
        self.0.come(&mut draws).await.map_err(|_| unavailable())?;
        answer
    }

    async fn txn(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        self.write(when, then).await
    }

    fn watch(&self, prefix: Key, from: Rev) -> Watch {
        let machine = Arc::clone(&self.0);
        let inner = self.0.world.store.watch(prefix, from);
        let broken = false;
        stream::unfold((machine, inner, broken), |(machine, mut inner, broken)| async move {
            if broken {
                return None;
            }
            let mut next = inner.next().await?;
            let mut draws = machine.draws("watch", b"");
            if machine.world.control == Control::LossyWatch
                && draws.hit(4)
                && let Ok(batch) = &mut next
            {
                batch.events.clear();
            }
            machine.awake().await;
            let late = if !machine.world.is_calm() && draws.hit(50) { 1500 } else { 12 };
            sleep(Duration::from_millis(1 + draws.below(late))).await;
            while machine.is_cut() {
                if draws.hit(20) {
                    return Some((Err(unavailable()), (machine, inner, true)));
                }
                sleep(Duration::from_millis(100)).await;
            }
            machine.awake().await;
            if !machine.world.is_calm() && draws.hit(60) {
                return Some((Err(unavailable()), (machine, inner, true)));
            }
            Some((next, (machine, inner, false)))
        })
        .boxed()
    }

    async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        let mut draws = self.0.draws("lease", b"");
        self.0.go(&mut draws).await?;
        let hasty = self.0.world.control == Control::HastyLeases;
        let answer = self.0.world.store.lease(if hasty { ttl / 20 } else { ttl }).await;
        self.0.come(&mut draws).await?;
        answer
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        let mut draws = self.0.draws("keep_alive", b"");
        self.0.go(&mut draws).await?;
        let answer = self.0.world.store.keep_alive(lease).await;
        self.0.come(&mut draws).await?;
        answer
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let mut draws = self.0.draws("revoke", b"");
        self.0.go(&mut draws).await?;
        let answer = self.0.world.store.revoke(lease).await;
        self.0.come(&mut draws).await?;
        answer
    }

    async fn expire(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn export(&self, writer: Box<dyn Write + Send>) -> Result<Summary, StoreError> {
        self.0.world.store.export(writer).await
    }

    async fn import(&self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError> {
        self.0.world.store.import(reader).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable { endpoint: "sim".to_owned(), detail: "lost".to_owned() }
}

fn unanswered() -> StoreError {
    StoreError::Unanswered { endpoint: "sim".to_owned(), detail: "lost".to_owned() }
}
