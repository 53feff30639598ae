//! Writes, transactions of three keys and reads a second through this engine, as ratios to a bare
//! gRPC client that does the same with the same servers in the same run: one connection, no slot, no
//! second attempt, no precondition on the master row, answers not looked at.
//!
//! `cargo xtask bench store`; `HAECHI_BENCH_SECONDS` (3) a measurement, `HAECHI_BENCH_MEMBERS` (3)
//! servers on loopback, `HAECHI_BENCH_ROUNDS` (3), of which the medians count. 64 tasks, rows of 1 KB.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use haechi_conformance::etcd::Setup;
use haechi_store::{Cond, Key, Op, Options, Store};
use haechi_store_etcd::{EtcdStore, Settings};
use http::uri::PathAndQuery;
use tonic::{
    Request,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

const TASKS: u64 = 64;
const ROW_BYTES: usize = 1024;

/// What the bare client sends and skips.
mod bare {
    use prost::{Message, Oneof};

    #[derive(Clone, PartialEq, Message)]
    pub struct Key {
        #[prost(bytes = "vec", tag = "1")]
        pub key: Vec<u8>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Put {
        #[prost(bytes = "vec", tag = "1")]
        pub key: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub value: Vec<u8>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Do {
        #[prost(oneof = "What", tags = "2")]
        pub what: Option<What>,
    }
    #[derive(Clone, PartialEq, Oneof)]
    pub enum What {
        #[prost(message, tag = "2")]
        Put(Put),
    }
    /// `create_revision == 0`.
    #[derive(Clone, PartialEq, Message)]
    pub struct Absent {
        #[prost(int32, tag = "2")]
        pub target: i32,
        #[prost(bytes = "vec", tag = "3")]
        pub key: Vec<u8>,
        #[prost(int64, optional, tag = "5")]
        pub revision: Option<i64>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Txn {
        #[prost(message, repeated, tag = "1")]
        pub compare: Vec<Absent>,
        #[prost(message, repeated, tag = "2")]
        pub success: Vec<Do>,
    }
    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Skipped {}
}

async fn call<M: prost::Message + 'static>(channel: &Channel, path: &'static str, message: M) {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<M, bare::Skipped>::default();
    grpc.unary(Request::new(message), PathAndQuery::from_static(path), codec).await.unwrap();
}

/// Runs `act` from all tasks for the time given; how often a second.
async fn rate<F: Future<Output = ()> + Send>(
    seconds: u64,
    act: impl Fn(u64, u64) -> F + Clone + Send + 'static,
) -> f64 {
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let act = act.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while Instant::now() < end {
                    act(task, count).await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    total as f64 / begin.elapsed().as_secs_f64()
}

fn names(what: &str, round: u64, task: u64, count: u64) -> [String; 3] {
    ["a", "b", "c"].map(|part| format!("/{what}/{round}/{task:02}/{count:08}/{part}"))
}

async fn bare_writes(channel: &Channel, seconds: u64, round: u64) -> f64 {
    let channel = channel.clone();
    rate(seconds, move |task, count| {
        let channel = channel.clone();
        async move {
            let [key, ..] = names("bare-w", round, task, count).map(String::into_bytes);
            let put = bare::Put { key, value: vec![7; ROW_BYTES] };
            call(&channel, "/etcdserverpb.KV/Put", put).await;
        }
    })
    .await
}

async fn bare_txns(channel: &Channel, seconds: u64, round: u64) -> f64 {
    let channel = channel.clone();
    rate(seconds, move |task, count| {
        let channel = channel.clone();
        async move {
            let keys = names("bare-t", round, task, count).map(String::into_bytes);
            let absent =
                |key: &Vec<u8>| bare::Absent { target: 1, key: key.clone(), revision: Some(0) };
            let compare = keys.iter().map(absent).collect();
            let put = |key| bare::Do {
                what: Some(bare::What::Put(bare::Put { key, value: vec![7; ROW_BYTES] })),
            };
            let success = keys.into_iter().map(put).collect();
            call(&channel, "/etcdserverpb.KV/Txn", bare::Txn { compare, success }).await;
        }
    })
    .await
}

async fn bare_reads(channel: &Channel, seconds: u64) -> f64 {
    let channel = channel.clone();
    rate(seconds, move |task, _| {
        let channel = channel.clone();
        async move {
            let [key, ..] = names("bare-w", 0, task, 0).map(String::into_bytes);
            call(&channel, "/etcdserverpb.KV/Range", bare::Key { key }).await;
        }
    })
    .await
}

async fn writes(store: &Arc<EtcdStore>, seconds: u64, round: u64) -> f64 {
    let store = store.clone();
    rate(seconds, move |task, count| {
        let store = store.clone();
        async move {
            let [key, ..] = names("w", round, task, count);
            store.txn(&[], vec![Op::put(key, vec![7; ROW_BYTES])]).await.unwrap();
        }
    })
    .await
}

async fn txns(store: &Arc<EtcdStore>, seconds: u64, round: u64) -> f64 {
    let store = store.clone();
    rate(seconds, move |task, count| {
        let store = store.clone();
        async move {
            let keys = names("t", round, task, count);
            let when = keys.clone().map(|key| Cond::Absent(key.into()));
            let then = keys.map(|key| Op::put(key, vec![7; ROW_BYTES])).into();
            store.txn(&when, then).await.unwrap();
        }
    })
    .await
}

async fn reads(store: &Arc<EtcdStore>, seconds: u64) -> f64 {
    let store = store.clone();
    rate(seconds, move |task, _| {
        let store = store.clone();
        async move {
            let [key, ..] = names("w", 0, task, 0);
            store.get(&[Key::from(key)], None).await.unwrap();
        }
    })
    .await
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// This process' memory, in MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let (seconds, rounds) = (number("HAECHI_BENCH_SECONDS", 3), number("HAECHI_BENCH_ROUNDS", 3));
    let members = usize::try_from(number("HAECHI_BENCH_MEMBERS", 3)).unwrap();
    let cluster = Setup::members(members).start();
    let leader = cluster.endpoint(cluster.wait());
    let channel = Endpoint::from_shared(leader.clone()).unwrap().tcp_nodelay(true).connect_lazy();
    let mut settings = Settings::new(vec![leader], Options::new(|| Duration::from_secs(1)));
    settings.compact_every = None;
    let store = Arc::new(EtcdStore::open(settings).await.unwrap());
    let mut found: [(&str, Vec<f64>, Vec<f64>); 3] =
        ["writes of 1 KB", "transactions of 3 keys", "reads"].map(|name| (name, vec![], vec![]));
    let before = memory();
    for round in 0..rounds {
        let [write, txn, read] = &mut found;
        write.1.push(bare_writes(&channel, seconds, round).await);
        write.2.push(writes(&store, seconds, round).await);
        txn.1.push(bare_txns(&channel, seconds, round).await);
        txn.2.push(txns(&store, seconds, round).await);
        read.1.push(bare_reads(&channel, seconds).await);
        read.2.push(reads(&store, seconds).await);
    }
    println!("{members} servers, {TASKS} tasks, medians of {rounds} rounds of {seconds} s");
    for (name, bare, ours) in found {
        let (bare, ours) = (median(bare), median(ours));
        println!("{name:<24} {ours:>8.0}/s  bare {bare:>8.0}/s  ratio {:.2}", ours / bare);
    }
    println!("memory {} MiB before, {} MiB after", before, memory());
}
