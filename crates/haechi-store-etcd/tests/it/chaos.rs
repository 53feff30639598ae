//! Random faults, one after the other, on a cluster under load. `HAECHI_CHAOS_ROUNDS` (3) and
//! `HAECHI_CHAOS_SEED` (1) say how many and which; `cargo xtask chaos` sets them. Each round prints
//! its seed; a round alone is run again with that seed and one round.

use std::time::Duration;

use haechi_conformance::etcd::{Cluster, Fault, Setup};

use crate::{
    load::{Load, Random},
    nodes::{blocking, nodes},
};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_loses_nothing() {
    let (rounds, first) = (number("HAECHI_CHAOS_ROUNDS", 3), number("HAECHI_CHAOS_SEED", 1));
    let root = std::fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t");
    let mut cluster =
        blocking(move || Setup { namespaces: root, ..Setup::members(3) }.start()).await;
    for seed in first..first + rounds {
        round(&mut cluster, seed).await;
    }
}

/// One to three faults, that may overlap in time but leave a majority.
async fn round(cluster: &mut Cluster, seed: u64) {
    let mut random = Random(seed);
    let nodes = nodes(cluster, 3, &format!("round-{seed}")).await;
    let load = Load::start(&nodes, 2, random.next());
    load.writes(20).await;
    let mut told = Vec::new();
    for _ in 0..=random.next() % 3 {
        let fault = Fault::choose(cluster, random.next());
        fault.begin(cluster);
        tokio::time::sleep(Duration::from_millis(random.next() % 2000)).await;
        if random.next().is_multiple_of(4) && fault != Fault::PowerCut {
            load.writes(5).await;
        }
        fault.end(cluster);
        let pause = load.writes(10).await;
        told.push(format!("{fault:?} {} ms", pause.as_millis()));
        cluster.wait();
    }
    let verdict = load.judge(&*nodes[0]).await;
    println!("seed {seed}: {}; {verdict}", told.join(", "));
    for node in nodes {
        node.close().await.unwrap();
    }
}
