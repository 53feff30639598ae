//! `kill -9` at any moment: every acknowledged transaction is there, no half of any is visible.
//!
//! A child process writes from several tasks at once and prints what was acknowledged; this
//! process kills it, opens what it left and compares. Round after round on the same directory, so
//! that recovery works on what recovery left. `HAECHI_CRASH_ROUNDS` (200) and
//! `HAECHI_CRASH_SEED` (1) choose how often and when.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    time::Duration,
};

use haechi_store::{Key, Op, Range, Rev, Store};

use crate::{child, child_dir, open};

const WRITERS: u64 = 6;
/// Rows that each transaction rewrites with one number.
const PARTS: u64 = 4;
/// What is counted is pruned, so that rounds do not get slower: entries kept per writer.
const KEPT: u64 = 50;

fn number_from(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// xorshift64*: moments to kill at that a seed repeats.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

fn part(writer: u64, part: u64) -> Key {
    Key::from(format!("/part/{writer}/{part}"))
}

fn entry(writer: u64, number: u64) -> Key {
    Key::from(format!("/entry/{writer}/{number:010}"))
}

/// One line for each acknowledged transaction: writer, number, revision.
async fn write_for_ever(store: std::sync::Arc<haechi_store_sqlite::SqliteStore>, writer: u64) {
    let kv = store.get(&[part(writer, 0)], None).await.unwrap().0.remove(0);
    let mut number = kv.map_or(0, |kv| parse(kv.value.as_bytes()));
    loop {
        number += 1;
        let text = number.to_string();
        let mut ops: Vec<Op> =
            (0..PARTS).map(|n| Op::put(part(writer, n), text.as_str())).collect();
        ops.push(Op::put(entry(writer, number), vec![number as u8; 700]));
        if number > KEPT {
            ops.push(Op::delete(entry(writer, number - KEPT)));
        }
        let rev = store.txn(&[], ops).await.unwrap();
        // One short write is one piece in a pipe.
        let line = format!("ACK {writer} {number} {rev}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}

fn parse(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

/// The child of the test below.
#[tokio::test]
#[ignore = "the child process of another test"]
async fn writes_until_it_is_killed() {
    let Some(dir) = child_dir() else { return };
    let store = std::sync::Arc::new(open(&dir));
    let tasks: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write_for_ever(store.clone(), writer))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn every_acknowledged_write_survives_kill_9_and_no_half_is_visible() {
    let rounds = number_from("HAECHI_CRASH_ROUNDS", 200);
    let seed = number_from("HAECHI_CRASH_SEED", 1);
    let mut moments = Moments(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let dir = tempfile::tempdir().unwrap();
    // What each writer was told last, or what was found after a crash: its number and revision.
    let mut known: BTreeMap<u64, (u64, Rev)> = BTreeMap::new();
    let mut total = 0;
    for round in 1..=rounds {
        // Some are killed while they open the store, or before.
        let kill_while_opening = moments.below(10) == 0;
        let patience = Duration::from_micros(moments.below(12_000));
        total += run_and_kill(dir.path(), kill_while_opening, patience, &mut known);
        check(dir.path(), &mut known, &format!("round {round}, seed {seed}")).await;
    }
    assert!(total >= rounds, "{total} transactions in {rounds} rounds: this tests nothing");
}

/// Returns how many transactions were acknowledged.
fn run_and_kill(
    dir: &Path,
    while_opening: bool,
    patience: Duration,
    acknowledged: &mut BTreeMap<u64, (u64, Rev)>,
) -> u64 {
    let mut child = child("crash::writes_until_it_is_killed", dir).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut count = 0;
    let mut take = |line: &str| {
        // A line that the kill cut was never told to anybody.
        let Some(rest) = line.strip_suffix('\n').and_then(|line| line.split_once("ACK ")) else {
            return false;
        };
        let fields: Vec<u64> = rest.1.split(' ').map(|field| field.parse().unwrap()).collect();
        acknowledged.insert(fields[0], (fields[1], Rev(fields[2])));
        count += 1;
        true
    };
    let mut line = String::new();
    if !while_opening {
        while lines.read_line(&mut line).unwrap() > 0 && !take(&line) {
            line.clear();
        }
    }
    std::thread::sleep(patience);
    child.kill().unwrap();
    child.wait().unwrap();
    loop {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 {
            return count;
        }
        take(&line);
    }
}

async fn check(dir: &Path, known: &mut BTreeMap<u64, (u64, Rev)>, round: &str) {
    let store = open(dir);
    for writer in 0..WRITERS {
        let range = Range::prefix(format!("/part/{writer}/").as_str());
        let parts = store.range(range, 0, None).await.unwrap().kvs;
        let Some(first) = parts.first() else {
            assert!(!known.contains_key(&writer), "{round}: writer {writer} lost it all");
            continue;
        };
        let number = parse(first.value.as_bytes());
        assert_eq!(parts.len() as u64, PARTS, "{round}: half a transaction of writer {writer}");
        for kv in &parts {
            assert_eq!(
                (kv.mod_rev, parse(kv.value.as_bytes())),
                (first.mod_rev, number),
                "{round}: half a transaction of writer {writer}"
            );
        }
        let (told, rev) = known.get(&writer).copied().unwrap_or_default();
        assert!(
            number > told || (number == told && first.mod_rev == rev),
            "{round}: writer {writer} was told {told} at {rev}, the store has {number}"
        );
        // One more may be in flight when the process dies, not two.
        assert!(number <= told + 1, "{round}: writer {writer} was told {told}, has {number}");
        known.insert(writer, (number, first.mod_rev));
        let range = Range::prefix(format!("/entry/{writer}/").as_str());
        let entries = store.range(range, 0, None).await.unwrap().kvs;
        let expected: Vec<Key> = (number.saturating_sub(KEPT) + 1..=number)
            .map(|number| entry(writer, number))
            .collect();
        let found: Vec<Key> = entries.into_iter().map(|kv| kv.key).collect();
        assert_eq!(found, expected, "{round}: entries of writer {writer}");
    }
}
