//! `kill -9` in a loop: every acknowledged record is there afterwards, in order, and nothing else
//! is broken.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use haechi_log::{Log, LogError, Options, verify};
use tempfile::tempdir;

use crate::support::{append_all, cipher, options, read_all, runtime};

const CHILD_DIRECTORY: &str = "HAECHI_LOG_CRASH_DIRECTORY";
const CHILD_WRITERS: &str = "HAECHI_LOG_CRASH_WRITERS";
const CHILD_HAS_ONE_CORE: &str = "HAECHI_LOG_CRASH_ONE_CORE";

/// Keeps this thread, and those that it starts, on the first core that it may run on.
fn stay_on_one_core() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    sched_setaffinity(None, &one).unwrap();
    assert_eq!(thread::available_parallelism().unwrap().get(), 1);
}

/// Not a test of its own: what the child process runs, until it is killed. Prints a record's text
/// once it is acknowledged.
#[test]
fn crash_child() {
    let Some(directory) = env::var_os(CHILD_DIRECTORY) else { return };
    let writers: u32 = env::var(CHILD_WRITERS).unwrap().parse().unwrap();
    if env::var_os(CHILD_HAS_ONE_CORE).is_some() {
        stay_on_one_core();
    }
    let options = Options { segment_bytes: 20_000, ..options() };
    let log = Arc::new(Log::open(Path::new(&directory), cipher(), options).unwrap());
    let round = log.head().sequence;
    runtime().block_on(async {
        let writers: Vec<_> = (0..writers)
            .map(|writer| {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    for number in 0.. {
                        let text = format!("{round}-{writer}-{number}");
                        log.append(text.clone().into_bytes()).await.unwrap();
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "ack {text}").unwrap();
                        out.flush().unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

#[test]
fn every_acknowledged_record_survives_sigkill() {
    kill_rounds(&[(CHILD_WRITERS, "8")]);
}

/// There a frame begins before all callers have had their turn, if there are enough of them.
#[test]
fn every_acknowledged_record_of_many_callers_on_one_core_survives_sigkill() {
    kill_rounds(&[(CHILD_WRITERS, "64"), (CHILD_HAS_ONE_CORE, "1")]);
}

fn kill_rounds(variables: &[(&str, &str)]) {
    let rounds: u64 = env::var("HAECHI_CRASH_ROUNDS").map_or(100, |text| text.parse().unwrap());
    let directory = tempdir().unwrap();
    let mut seed: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut acknowledged = Vec::new();
    for round in 0..rounds {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "crash::crash_child", "--nocapture"])
            .env(CHILD_DIRECTORY, directory.path())
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader = thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines.filter_map(|line| line.strip_prefix("ack ").map(str::to_owned)).collect()
        });
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_micros(5_000 + (seed >> 33) % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines: Vec<String> = reader.join().unwrap();
        acknowledged.extend(lines);
        let log = Log::open(directory.path(), cipher(), options());
        assert!(log.is_ok(), "round {round}: {:?}", log.err());
    }
    assert!(!acknowledged.is_empty(), "the children wrote something");
    let report = verify(directory.path(), &*cipher()).unwrap();
    assert_eq!(report.findings, []);
    let found: std::collections::HashSet<String> = read_all(directory.path()).into_iter().collect();
    for text in acknowledged {
        assert!(found.contains(&text), "{text} was acknowledged and is lost");
    }
}

const FULL_DIRECTORY: &str = "HAECHI_LOG_FULL_DIRECTORY";

/// Room enough for the log to be well again.
const ROOM: u64 = 4 << 20;

/// Not a test of its own: writes under a limit of the file size until that is reached.
#[test]
fn full_child() {
    let Some(directory) = env::var_os(FULL_DIRECTORY) else { return };
    let limit = |bytes| {
        let limit = rustix::process::Rlimit { current: Some(bytes), maximum: Some(ROOM) };
        rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
    };
    limit(4_000);
    let log = Log::open(Path::new(&directory), cipher(), options()).unwrap();
    runtime().block_on(async {
        let refused = loop {
            match log.append(vec![b'x'; 500]).await {
                Ok(_) => println!("ack"),
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, LogError::Io { action: "write", .. }), "{refused}");
        assert!(!log.is_healthy());
        assert!(log.append(b"no room".to_vec()).await.is_err());
        limit(ROOM);
        log.append(b"after".to_vec()).await.unwrap();
        assert!(log.is_healthy());
    });
}

/// SIGXFSZ is ignored in the child (as `sh` can arrange), so that a write beyond the limit fails
/// half-way with EFBIG, as one does on a full disk with ENOSPC.
#[test]
fn a_write_that_fails_half_way_leaves_no_trace() {
    let directory = tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact crash::full_child --nocapture"])
        .arg(env::current_exe().unwrap())
        .env(FULL_DIRECTORY, directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged = text.lines().filter(|line| line.ends_with("ack")).count();
    let report = verify(directory.path(), &*cipher()).unwrap();
    assert_eq!((report.findings, report.records), (vec![], acknowledged as u64 + 1));
    assert!(fs::read_dir(directory.path()).unwrap().count() >= 3, "a second segment was made");
    let log = Log::open(directory.path(), cipher(), options()).unwrap();
    append_all(&log, &["reopened"]);
    assert_eq!(read_all(directory.path()).len(), acknowledged + 2);
}
