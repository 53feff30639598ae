//! Servers die, stop, are cut off and come back: nothing that was acknowledged is lost, nothing that
//! was refused is there, and what clients saw is possible of one register.

use std::time::Duration;

use haechi_conformance::etcd::{Fault, Setup};

use crate::{
    load::Load,
    nodes::{blocking, nodes},
};

/// Load on three nodes, the fault, writes during it and after it, the judgement.
async fn befall(setup: Setup, name: &str, choose: fn(usize) -> Fault) {
    let mut cluster = blocking(|| setup.start()).await;
    let nodes = nodes(&cluster, 3, "haechi").await;
    let load = Load::start(&nodes, 2, 1);
    load.writes(100).await;
    let leader = cluster.wait();
    let fault = choose(leader);
    fault.begin(&mut cluster);
    // Whether the fault leaves a majority or not, writes go on when it may be possible again.
    let pause = if fault == Fault::PowerCut {
        fault.end(&mut cluster);
        load.writes(100).await
    } else {
        let pause = load.writes(100).await;
        fault.end(&mut cluster);
        pause
    };
    load.writes(100).await;
    cluster.wait();
    let verdict = load.judge(&*nodes[0]).await;
    for node in &nodes {
        // Every node reads the same.
        let rows = node.range(haechi_store::Range::prefix("/set/"), 1, None).await.unwrap();
        assert_eq!(rows.kvs.len(), 1);
    }
    println!("{name}: no write for {} ms; {verdict}", pause.as_millis());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_loses_no_acknowledged_write() {
    befall(Setup::members(3), "leader killed", Fault::Kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_stands_still_is_replaced() {
    befall(Setup::members(3), "leader paused", Fault::Pause).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_stands_still_holds_nobody_up_for_long() {
    befall(Setup::members(3), "follower paused", |leader| Fault::Pause((leader + 1) % 3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_of_all_members_loses_no_acknowledged_write() {
    befall(Setup::members(3), "power cut", |_| Fault::PowerCut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_cut_off_from_the_others_acknowledges_nothing() {
    if !networks() {
        return;
    }
    let setup = Setup { namespaces: true, ..Setup::members(3) };
    befall(setup.clone(), "leader cut off", Fault::Cut).await;
    befall(setup, "leader deaf", Fault::Deafen).await;
}

/// Whether this machine lets us make networks; without it members can only be stopped.
fn networks() -> bool {
    let root = std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")));
    if !root {
        println!("not root: no networks are cut");
    }
    root
}

/// Two members die one after the other: without a majority nothing is acknowledged, and it goes on
/// when one is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_nothing_is_acknowledged() {
    let mut cluster = blocking(|| Setup::members(3).start()).await;
    let nodes = nodes(&cluster, 2, "haechi").await;
    let load = Load::start(&nodes, 2, 2);
    load.writes(50).await;
    let leader = cluster.wait();
    cluster.kill(leader);
    load.writes(50).await;
    cluster.kill((leader + 1) % 3);
    // What was on its way when the majority went may be acknowledged yet.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = load.acknowledged();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(load.acknowledged(), before, "acknowledged without a majority");
    cluster.restart(leader);
    load.writes(50).await;
    println!("majority lost and back: {}", load.judge(&*nodes[0]).await);
}
