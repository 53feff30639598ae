//! Clients of registers and a set, and watchers whose streams break at any moment.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use futures_util::FutureExt;
use futures_util::StreamExt;
use haechi_histories::{Action, Added, Recorder, Verdict, linearizable, missing_or_foreign};
use haechi_store::{Batch, Cond, Event, Key, Op, Range, Rev, Store, StoreError, TxnError, Value};

use super::world::World;

const CLIENTS: u64 = 4;
const WATCHERS: u64 = 2;
const REGISTERS: u64 = 2;
const CALLS: u64 = 15;
const STEPS: u64 = 200_000;

#[derive(Default)]
struct Seen {
    registers: [Recorder; REGISTERS as usize],
    added: RefCell<Vec<Added>>,
    numbers: Cell<u64>,
    done: Cell<u64>,
}

/// Runs one schedule; panics at what is broken.
pub fn run(seed: u64) {
    let world = World::new(seed);
    let seen = Rc::new(Seen::default());
    for _ in 0..CLIENTS {
        world.scheduler.spawn(client(world.clone(), seen.clone()));
    }
    let watched: Vec<Rc<RefCell<Vec<Batch>>>> = (0..WATCHERS).map(|_| Rc::default()).collect();
    for batches in &watched {
        world.scheduler.spawn(watcher(world.clone(), seen.clone(), batches.clone()));
    }
    let clock = world.clone();
    world.scheduler.spawn(async move { clock.time_passes().await });
    world.scheduler.run(STEPS);
    // Late writes have come by now: no task is left.
    world.scheduler.spawn(judge(world.clone(), seen, watched));
    world.scheduler.run(STEPS);
}

async fn client(world: World, seen: Rc<Seen>) {
    for _ in 0..CALLS {
        world.scheduler.pause(3).await;
        let new = seen.numbers.get();
        seen.numbers.set(new + 1);
        let register = world.scheduler.random(REGISTERS);
        let recorder = &seen.registers[register as usize];
        let begun = recorder.tick();
        match world.scheduler.random(4) {
            0 => {
                if let Ok(row) = world.get(&key(register)).await {
                    recorder.answered(begun, Action::Read(row.and_then(|row| number(&row.value))));
                }
            }
            1 => {
                let outcome = world.txn(vec![], vec![Op::put(key(register), text(new))]).await;
                let action = Action::Write(Some(new));
                settle(recorder, begun, outcome, action, action);
            }
            2 => {
                let Ok(row) = world.get(&key(register)).await else { continue };
                let old = row.as_ref().and_then(|row| number(&row.value));
                let begun = recorder.tick();
                let cond = match old {
                    Some(old) => Cond::Equals(key(register), text(old)),
                    None => Cond::Absent(key(register)),
                };
                let outcome = world.txn(vec![cond], vec![Op::put(key(register), text(new))]).await;
                let swap = Action::Swap(old, Some(new));
                settle(recorder, begun, outcome, swap, Action::Differs(old));
            }
            _ => {
                let op = Op::put(format!("/set/{new:04}"), text(new));
                let added = match world.txn(vec![], vec![op]).await {
                    Ok(_) => Added::Acknowledged(new),
                    Err(TxnError::Store(StoreError::Unanswered { .. })) => Added::Unanswered(new),
                    Err(_) => Added::Refused(new),
                };
                seen.added.borrow_mut().push(added);
            }
        }
    }
    seen.done.set(seen.done.get() + 1);
    if seen.done.get() == CLIENTS {
        world.calm_down();
    }
}

fn settle(
    recorder: &Recorder,
    begun: u64,
    outcome: Result<Rev, TxnError>,
    done: Action,
    refused: Action,
) {
    match outcome {
        Ok(_) => recorder.answered(begun, done),
        Err(TxnError::Conflict(_)) => recorder.answered(begun, refused),
        Err(TxnError::Store(StoreError::Unanswered { .. })) => recorder.unanswered(begun, done),
        Err(TxnError::Store(_)) => {}
    }
}

/// Follows everything; its stream breaks now and then and is begun again after the last batch.
async fn watcher(world: World, seen: Rc<Seen>, batches: Rc<RefCell<Vec<Batch>>>) {
    let mut from = Rev(1);
    while seen.done.get() < CLIENTS {
        let mut watch = world.watch("/", from);
        while world.scheduler.random(5) > 0 {
            world.scheduler.pause(5).await;
            if let Some(Some(batch)) = watch.next().now_or_never() {
                let batch = batch.unwrap();
                from = batch.rev.next();
                batches.borrow_mut().push(batch);
            }
        }
    }
}

async fn judge(world: World, seen: Rc<Seen>, watched: Vec<Rc<RefCell<Vec<Batch>>>>) {
    let page = world.store.range(Range::all(), 0, None).await.unwrap();
    let rows: BTreeMap<Key, Value> =
        page.kvs.iter().map(|kv| (kv.key.clone(), kv.value.clone())).collect();
    let set = rows.iter().filter(|(key, _)| key.starts_with(&"/set/".into()));
    let found: BTreeSet<u64> = set.filter_map(|(_, value)| number(value)).collect();
    assert_eq!(missing_or_foreign(&seen.added.borrow(), &found), (vec![], vec![]));
    for register in 0..REGISTERS {
        let recorder = &seen.registers[register as usize];
        let begun = recorder.tick();
        recorder.answered(begun, Action::Read(rows.get(&key(register)).and_then(number)));
        assert_eq!(linearizable(None, &recorder.calls()), Verdict::Possible, "{register}");
    }
    for batches in watched {
        let mut batches = batches.take();
        let from = batches.last().map_or(Rev(1), |batch| batch.rev.next());
        let mut rest = world.watch("/", from);
        while let Some(Some(batch)) = rest.next().now_or_never() {
            batches.push(batch.unwrap());
        }
        // No leases and no deletes here, so each revision wrote, and each was told once, in order.
        let revisions: Vec<u64> = batches.iter().map(|batch| batch.rev.0).collect();
        assert_eq!(revisions, (1..=page.rev.0).collect::<Vec<_>>());
        let mut told = BTreeMap::new();
        for event in batches.into_iter().flat_map(|batch| batch.events) {
            let Event::Put(kv) = event else { panic!("{event:?}") };
            told.insert(kv.key, kv.value);
        }
        assert_eq!(told, rows);
    }
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
