//! `cargo xtask bench cluster`: what Encrypt costs on one, two and three nodes over one etcd, beside
//! a node with its own store in the same run.
//!
//! All nodes share one core, and their load generators the other: on a machine of two cores more
//! nodes cannot answer more calls. What is told is what decides whether they would on machines of
//! their own: the CPU time of a call, which must not grow with the nodes, and what they ask etcd
//! while they encrypt, which must not grow with the calls.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::kms::{sample, shown};
use super::process::{Server, bench, binary, product};
use super::statistics::median;
use crate::process;

const NODES_MAX: usize = 3;
const ROUNDS: usize = 5;
const SECONDS: f64 = 2.0;

/// What one round showed of nodes that were called at the same time.
#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    cpu_us: f64,
    /// Requests that etcd answered in a second.
    asked: f64,
}

/// Measures, prints.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask bench cluster".into());
    }
    let build = ["build", "--release", "--package", "haechi", "--package", "haechi-bench"];
    process::run(&mut process::cargo(&build))?;
    let directory = process::root().join("target/tmp/bench-cluster");
    if directory.exists() {
        std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    let etcd = Etcd::start(&directory)?;
    let alone = Node::start(&directory, "alone", None)?;
    prepare(&alone, &directory)?;
    let mut nodes = vec![Node::start(&directory, "node0", Some(&etcd))?];
    prepare(nodes.first().ok_or("no node")?, &directory)?;
    let mut rounds = vec![Vec::new(); NODES_MAX + 1];
    for count in 1..=NODES_MAX {
        if count > nodes.len() {
            let name = format!("node{}", nodes.len());
            invite(&directory, &name)?;
            nodes.push(Node::start(&directory, &name, Some(&etcd))?);
        }
        for round in 1..=ROUNDS {
            eprintln!("{count} nodes: round {round} of {ROUNDS}");
            let floor = measure(std::slice::from_ref(&alone), "alone", &directory, &etcd)?;
            if let Some(floors) = rounds.first_mut() {
                floors.push(floor);
            }
            let found = measure(&nodes, "node0", &directory, &etcd)?;
            if let Some(rounds) = rounds.get_mut(count) {
                rounds.push(found);
            }
        }
    }
    table(&rounds);
    drop((nodes, alone, etcd));
    std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())
}

fn table(rounds: &[Vec<Round>]) {
    let of = |rounds: &[Round], what: fn(&Round) -> f64| median(rounds.iter().map(what));
    let floor = rounds.first().map_or(f64::NAN, |floor| of(floor, |round| round.cpu_us));
    println!(
        "| nodes | Encrypt/s, all on one core | CPU µs a call | of a node alone | etcd requests/s |"
    );
    println!("|---|--:|--:|--:|--:|");
    for (count, rounds) in rounds.iter().enumerate() {
        let name = if count == 0 { "own store".to_owned() } else { count.to_string() };
        let cpu_us = of(rounds, |round| round.cpu_us);
        println!(
            "| {name} | {:.0} | {cpu_us:.1} | {:.2} | {:.1} |",
            of(rounds, |round| round.per_second),
            floor / cpu_us,
            of(rounds, |round| round.asked),
        );
    }
}

/// Calls all nodes at the same time.
fn measure(nodes: &[Node], target: &str, directory: &Path, etcd: &Etcd) -> Result<Round, String> {
    let target = shown(&directory.join(format!("{target}.target.json")));
    let (asked, began) = (etcd.answered()?, Instant::now());
    let printed: Vec<Result<Value, String>> = std::thread::scope(|scope| {
        let loads: Vec<_> = nodes.iter().map(|node| scope.spawn(|| node.load(&target))).collect();
        let lost = || Err("a load generator has panicked".to_owned());
        loads.into_iter().map(|load| load.join().unwrap_or_else(|_| lost())).collect()
    });
    let asked = etcd.answered()?.saturating_sub(asked);
    let seconds = began.elapsed().as_secs_f64();
    let (mut per_second, mut cpu) = (0.0, 0.0);
    for printed in printed {
        let sample = sample(&printed?)?;
        per_second += sample.per_second;
        cpu += sample.per_second * sample.cpu_us;
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousands at the most")]
    let asked = asked as f64 / seconds;
    Ok(Round { per_second, cpu_us: cpu / per_second, asked })
}

/// A node, and the file that says where it serves.
struct Node {
    server: Server,
    ready: PathBuf,
}

impl Node {
    fn start(directory: &Path, name: &str, etcd: Option<&Etcd>) -> Result<Node, String> {
        let ready = directory.join(format!("{name}.ready.json"));
        let mut arguments = product(&directory.join(name));
        arguments.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
        if let Some(etcd) = etcd {
            let there = ["--store", "etcd", "--etcd-endpoint", &etcd.endpoint];
            arguments.extend(there.map(str::to_owned));
        }
        let server = Server::start(&binary("haechi"), &arguments, &ready)?;
        Ok(Node { server, ready })
    }

    fn load(&self, target: &str) -> Result<Value, String> {
        let (pid, ready) = (self.server.pid().to_string(), shown(&self.ready));
        let seconds = SECONDS.to_string();
        bench(&[
            "load",
            "--target",
            target,
            "--operation",
            "Encrypt",
            "--pid",
            &pid,
            "--server",
            &ready,
            "--seconds",
            &seconds,
        ])
    }
}

/// Makes a user and a key, and the target file of a node's name.
fn prepare(node: &Node, directory: &Path) -> Result<(), String> {
    let name = node.ready.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let target = directory.join(name.replace(".ready.json", ".target.json"));
    bench(&["prepare", "--ready", &shown(&node.ready), "--target", &shown(&target)])?;
    Ok(())
}

/// Makes a data directory that opens what the first node has.
fn invite(directory: &Path, name: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let (from, to) = (directory.join("node0"), directory.join(name));
    std::fs::create_dir(&to).map_err(failed)?;
    std::fs::set_permissions(&to, PermissionsExt::from_mode(0o700)).map_err(failed)?;
    for file in ["seal.json", "root.key"] {
        std::fs::copy(from.join(file), to.join(file)).map_err(failed)?;
    }
    Ok(())
}

/// An etcd of one member, ended when it is dropped.
struct Etcd {
    child: Child,
    endpoint: String,
}

impl Etcd {
    fn start(directory: &Path) -> Result<Etcd, String> {
        let free = || -> Result<String, String> {
            let bound = TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr());
            Ok(format!("http://{}", bound.map_err(|error| error.to_string())?))
        };
        let (client, peer) = (free()?, free()?);
        let mut command = Command::new("etcd");
        command.arg("--data-dir").arg(directory.join("etcd"));
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        command.args(["--initial-cluster", &format!("default={peer}"), "--log-level", "error"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child =
            child.map_err(|error| format!("cannot start etcd: {error}; is it installed?"))?;
        let etcd = Etcd { child, endpoint: client };
        let began = Instant::now();
        while etcd.answered().is_err() {
            if began.elapsed() > Duration::from_secs(30) {
                return Err("etcd does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(etcd)
    }

    /// Requests that it has answered so far; what it tells a watch is none.
    fn answered(&self) -> Result<u64, String> {
        let url = format!("{}/metrics", self.endpoint);
        let text = process::output(&mut process::program("curl", &["-sSf", &url]))?;
        let counts = text.lines().filter(|line| line.starts_with("grpc_server_handled_total"));
        Ok(counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
