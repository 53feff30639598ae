//! Clients that read, write, compare and set, and add to a set, while a test does something to the
//! store; then the judgement of what they saw.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use haechi_histories::{Action, Added, Recorder, Verdict, linearizable, missing_or_foreign};
use haechi_store::{Cond, Key, Op, Range, Store, StoreError, TxnError, Value};
use tokio::task::JoinHandle;

/// Registers that all clients work on.
const REGISTERS: u64 = 4;

/// Pseudo-random numbers from a seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

#[derive(Default)]
struct Seen {
    registers: [Recorder; REGISTERS as usize],
    added: Mutex<Vec<Added>>,
    numbers: AtomicU64,
    /// When writes were acknowledged.
    successes: Mutex<Vec<Instant>>,
    /// What went wrong, and how often.
    errors: Mutex<BTreeMap<String, u64>>,
    stop: AtomicBool,
}

/// Clients at work.
pub struct Load {
    seen: Arc<Seen>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts `clients` on each of the stores.
    pub fn start(stores: &[Arc<dyn Store>], clients: u64, seed: u64) -> Load {
        let seen = Arc::new(Seen::default());
        let tasks = stores.iter().enumerate().flat_map(|(index, store)| {
            let seen = seen.clone();
            (0..clients).map(move |client| {
                let random = Random(seed ^ (index as u64) << 32 ^ client << 16);
                tokio::spawn(work(seen.clone(), store.clone(), random))
            })
        });
        let clients = tasks.collect();
        Load { seen, clients }
    }

    /// Waits until so many more writes have been acknowledged; the longest time without one meanwhile.
    pub async fn writes(&self, count: usize) -> Duration {
        let begin = Instant::now();
        let before = self.acknowledged();
        for _ in 0..6000 {
            let now = self.acknowledged();
            if now >= before + count {
                let successes = self.seen.successes.lock().unwrap();
                let mut since: Vec<Instant> = successes[before..].to_vec();
                since.insert(0, begin);
                return since.windows(2).map(|two| two[1] - two[0]).max().unwrap_or_default();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no {count} writes within two minutes; errors: {:?}", self.errors());
    }

    pub fn acknowledged(&self) -> usize {
        self.seen.successes.lock().unwrap().len()
    }

    /// Every kind of error and how often it came.
    pub fn errors(&self) -> BTreeMap<String, u64> {
        self.seen.errors.lock().unwrap().clone()
    }

    /// Stops the clients and judges what they saw against what `store` holds now.
    pub async fn judge(self, store: &dyn Store) -> String {
        self.seen.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.unwrap();
        }
        let mut found = BTreeSet::new();
        let mut next = Some((Range::prefix("/set/"), None));
        while let Some((range, at)) = next {
            let page = store.range(range.clone(), 0, at).await.unwrap();
            found.extend(page.kvs.iter().map(|kv| number(&kv.value).unwrap()));
            next = page.next(&range).map(|range| (range, Some(page.rev)));
        }
        let added = self.seen.added.lock().unwrap().clone();
        let (missing, foreign) = missing_or_foreign(&added, &found);
        assert!(missing.is_empty(), "acknowledged writes are lost: {missing:?}");
        assert!(foreign.is_empty(), "refused writes are there: {foreign:?}");
        let mut calls = 0;
        for register in 0..REGISTERS {
            let recorder = &self.seen.registers[register as usize];
            let value = read(store, register).await.unwrap();
            let begun = recorder.tick();
            recorder.answered(begun, Action::Read(value));
            let history = recorder.calls();
            calls += history.len();
            let verdict = linearizable(None, &history);
            assert_eq!(
                verdict,
                Verdict::Possible,
                "register {register} of {} calls",
                history.len()
            );
        }
        let acknowledged = self.seen.successes.lock().unwrap().len();
        let errors = self.seen.errors.lock().unwrap();
        format!("{calls} calls linearizable, {acknowledged} writes kept, errors {errors:?}")
    }
}

async fn work(seen: Arc<Seen>, store: Arc<dyn Store>, mut random: Random) {
    while !seen.stop.load(Ordering::SeqCst) {
        let register = random.next() % REGISTERS;
        let recorder = &seen.registers[register as usize];
        let new = seen.numbers.fetch_add(1, Ordering::SeqCst);
        let begun = recorder.tick();
        match random.next() % 8 {
            0..=2 => match read(&*store, register).await {
                Ok(value) => recorder.answered(begun, Action::Read(value)),
                Err(error) => note(&seen, &error),
            },
            3 => {
                let op = Op::put(key(register), text(new));
                let outcome = store.txn(&[], vec![op]).await;
                record(&seen, recorder, begun, outcome.map(drop), (Action::Write(Some(new)), None));
            }
            4 | 5 => {
                let Ok(old) = read(&*store, register).await else { continue };
                let begun = recorder.tick();
                let cond = match old {
                    Some(old) => Cond::Equals(key(register), text(old)),
                    None => Cond::Absent(key(register)),
                };
                let outcome = store.txn(&[cond], vec![Op::put(key(register), text(new))]).await;
                let actions = (Action::Swap(old, Some(new)), Some(Action::Differs(old)));
                record(&seen, recorder, begun, outcome.map(drop), actions);
            }
            _ => add(&seen, &*store, new).await,
        }
    }
}

/// Adds an element to the set, with a row beside it in the same transaction.
async fn add(seen: &Seen, store: &dyn Store, new: u64) {
    let name = Key::from(format!("/set/{new:08}"));
    let ops = vec![Op::put(name.clone(), text(new)), Op::put(format!("/beside/{new:08}"), "")];
    let added = match store.txn(&[Cond::Absent(name)], ops).await {
        Ok(_) => {
            seen.successes.lock().unwrap().push(Instant::now());
            Added::Acknowledged(new)
        }
        // Nobody else adds this one.
        Err(TxnError::Conflict(conflict)) => panic!("{conflict}: it was written twice"),
        Err(TxnError::Store(error)) => {
            note(seen, &error);
            match error {
                StoreError::Unanswered { .. } => Added::Unanswered(new),
                _ => Added::Refused(new),
            }
        }
    };
    seen.added.lock().unwrap().push(added);
}

fn record(
    seen: &Seen,
    recorder: &Recorder,
    begun: u64,
    outcome: Result<(), TxnError>,
    (done, refused): (Action, Option<Action>),
) {
    match (outcome, refused) {
        (Ok(()), _) => {
            recorder.answered(begun, done);
            seen.successes.lock().unwrap().push(Instant::now());
        }
        (Err(TxnError::Conflict(_)), Some(refused)) => recorder.answered(begun, refused),
        (Err(TxnError::Conflict(conflict)), None) => panic!("{conflict}"),
        (Err(TxnError::Store(error)), _) => {
            note(seen, &error);
            if matches!(error, StoreError::Unanswered { .. }) {
                recorder.unanswered(begun, done);
            }
        }
    }
}

fn note(seen: &Seen, error: &StoreError) {
    let text = format!("{error:?}");
    let kind = text.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
    *seen.errors.lock().unwrap().entry(kind).or_default() += 1;
}

fn key(register: u64) -> Key {
    Key::from(format!("/register/{register}"))
}

fn text(number: u64) -> Value {
    Value::from(number.to_string().into_bytes())
}

fn number(value: &Value) -> Option<u64> {
    std::str::from_utf8(value.as_bytes()).ok()?.parse().ok()
}

async fn read(store: &dyn Store, register: u64) -> Result<Option<u64>, StoreError> {
    let (rows, _) = store.get(&[key(register)], None).await?;
    Ok(rows[0].as_ref().and_then(|kv| number(&kv.value)))
}
