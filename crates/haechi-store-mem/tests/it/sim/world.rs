//! The store as nodes see it from afar.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use haechi_store::{
    Cond, Key, Kv, Lease, LeaseId, Op, Options, Range, Rev, Store, StoreError, TxnError, Watch,
};
use haechi_store_mem::MemStore;

use super::scheduler::Scheduler;

/// How long an answer may be on its way, in turns.
const DELAY: u64 = 6;
/// How long a write may be on its way when nobody waits for it any more.
const LATE: u64 = 60;

#[derive(Clone)]
pub struct World {
    pub scheduler: Scheduler,
    pub store: Arc<MemStore>,
    millis: Arc<AtomicU64>,
    /// Nothing is lost any more: the end of a schedule.
    calm: Rc<Cell<bool>>,
    pub trace: Rc<RefCell<Vec<String>>>,
}

impl World {
    pub fn new(seed: u64) -> World {
        let millis = Arc::new(AtomicU64::new(1_000_000));
        let clock = millis.clone();
        let options = Options::new(move || Duration::from_millis(clock.load(Ordering::SeqCst)));
        World {
            scheduler: Scheduler::new(seed),
            store: Arc::new(MemStore::new(options)),
            millis,
            calm: Rc::default(),
            trace: Rc::default(),
        }
    }

    pub fn calm_down(&self) {
        self.calm.set(true);
    }

    pub fn is_calm(&self) -> bool {
        self.calm.get()
    }

    /// Moves the servers' clock: mostly on by a little, now and then far, sometimes back.
    pub async fn time_passes(&self) {
        while !self.is_calm() {
            let (random, now) = (&self.scheduler, self.millis.load(Ordering::SeqCst));
            let then = match random.random(20) {
                0 => now.saturating_sub(random.random(600_000)),
                1 => now + random.random(600_000),
                _ => now + random.random(300),
            };
            self.millis.store(then, Ordering::SeqCst);
            self.store.expire().await.unwrap();
            random.pause(8).await;
        }
    }

    async fn on_its_way(&self) {
        self.scheduler.pause(DELAY).await;
    }

    /// Whether something is lost: one time in `of`.
    fn lost(&self, of: u64) -> bool {
        !self.is_calm() && self.scheduler.random(of) == 0
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Kv>, StoreError> {
        self.on_its_way().await;
        if self.lost(20) {
            return Err(unavailable());
        }
        let row = self.store.get(std::slice::from_ref(key), None).await?.0.remove(0);
        self.on_its_way().await;
        Ok(row)
    }

    pub async fn range(&self, range: Range) -> Result<Vec<Kv>, StoreError> {
        self.on_its_way().await;
        if self.lost(20) {
            return Err(unavailable());
        }
        let page = self.store.range(range, 0, None).await?;
        self.on_its_way().await;
        Ok(page.kvs)
    }

    pub async fn txn(&self, when: Vec<Cond>, then: Vec<Op>) -> Result<Rev, TxnError> {
        self.on_its_way().await;
        if self.lost(20) {
            // It was never sent.
            return Err(unavailable().into());
        }
        if self.lost(12) {
            // It comes late, when nobody waits for it any more, or not at all.
            if self.scheduler.random(3) > 0 {
                let world = self.clone();
                self.scheduler.spawn(async move {
                    world.scheduler.pause(LATE).await;
                    let outcome = world.store.txn(&when, then).await;
                    world.tell(format!("late {outcome:?}"));
                });
            }
            self.on_its_way().await;
            return Err(unanswered().into());
        }
        let outcome = self.store.txn(&when, then).await;
        self.tell(format!("{outcome:?}"));
        self.on_its_way().await;
        if self.lost(12) { Err(unanswered().into()) } else { outcome }
    }

    pub async fn lease(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.on_its_way().await;
        let lease = self.store.lease(ttl).await?;
        self.on_its_way().await;
        if self.lost(12) { Err(unanswered()) } else { Ok(lease) }
    }

    pub async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.on_its_way().await;
        if self.lost(8) {
            return Err(unavailable());
        }
        let outcome = self.store.keep_alive(lease).await;
        self.on_its_way().await;
        outcome
    }

    pub fn watch(&self, prefix: &str, from: Rev) -> Watch {
        self.store.watch(prefix.into(), from)
    }

    fn tell(&self, what: String) {
        self.trace.borrow_mut().push(what);
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable { endpoint: "sim".to_owned(), detail: "lost".to_owned() }
}

fn unanswered() -> StoreError {
    StoreError::Unanswered { endpoint: "sim".to_owned(), detail: "lost".to_owned() }
}
