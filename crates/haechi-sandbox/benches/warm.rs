//! What a warm invocation costs: an event to a Python program that waits, and its answer back.
//!
//! The floor, in the same run: the same program, not shut in, served by a socket that says the same
//! bytes and does nothing else. So the ratio is what Runtime API and isolation add.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on must stop"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use haechi_sandbox::{Instance, Invocation, Launcher, Limits, Outcome, Spec};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PROGRAM: &str = include_str!("../tests/it/bootstrap.py");
/// The event, which the program evaluates.
const EVENT: &str = "\"result = 1\"";
const ROUNDS: usize = 9;
const INVOCATIONS: u32 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = TempDir::new().unwrap();
    let code = folder.path().join("code");
    std::fs::create_dir(&code).unwrap();
    std::fs::write(code.join("bootstrap.py"), PROGRAM).unwrap();
    for path in [folder.path(), &code] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut instance = start(folder.path(), &code).await;
    let mut floor = Floor::start(&code).await;
    let (mut warm, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for number in 0..INVOCATIONS {
            invoke(&mut instance, number).await;
        }
        let product = micros(begun.elapsed());
        let begun = Instant::now();
        for number in 0..INVOCATIONS {
            floor.invoke(number).await;
        }
        let least = micros(begun.elapsed());
        warm.push(product);
        bare.push(least);
        ratios.push(least / product);
    }
    println!("| warm invocation µs | floor µs | ratio |\n|--:|--:|--:|");
    let [warm, bare, ratio] = [warm, bare, ratios].map(median);
    println!("| {warm:.0} | {bare:.0} | **{ratio:.2}** |");
    instance.end().await;
}

fn micros(all: Duration) -> f64 {
    all.as_secs_f64() * 1e6 / f64::from(INVOCATIONS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn start(folder: &Path, code: &Path) -> Instance {
    let program = Path::new(env!("CARGO_BIN_EXE_haechi-sandbox-init"));
    let launcher = Launcher::new(program, true, code).await.unwrap();
    println!("isolation: {}", launcher.isolation().describe());
    let script = if launcher.isolation().mounts {
        "/var/task/bootstrap.py".to_owned()
    } else {
        code.join("bootstrap.py").display().to_string()
    };
    let spec = Spec {
        command: vec!["/usr/bin/python3".to_owned(), script],
        environment: BTreeMap::new(),
        code: code.to_owned(),
        binds: Vec::new(),
        covered: Vec::new(),
        hosts: Vec::new(),
        listen: Vec::new(),
        limits: Limits { memory_mib: 256, tmp_mib: 16, processes: 40, files: 256 },
        uid: 700_090_000,
        scratch: folder.to_owned(),
    };
    let mut instance = launcher.start("bench", spec, &[]).await.unwrap();
    instance.ready(Duration::from_secs(60), &mut |_: &[u8]| {}).await.unwrap();
    instance
}

async fn invoke(instance: &mut Instance, number: u32) {
    let invocation = Invocation {
        request_id: format!("request-{number}"),
        deadline_ms: 0,
        function_arn: "arn".to_owned(),
        trace_id: None,
        client_context: None,
        payload: EVENT.into(),
    };
    let limit = Duration::from_secs(60);
    let (outcome, _) = instance.invoke(invocation, limit, &mut |_: &[u8]| {}).await;
    assert!(matches!(outcome, Outcome::Response(_)), "{outcome:?}");
}

/// The same program, and a socket.
struct Floor {
    stream: TcpStream,
    _program: tokio::process::Child,
}

impl Floor {
    async fn start(code: &Path) -> Floor {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let program = tokio::process::Command::new("/usr/bin/python3")
            .arg(code.join("bootstrap.py"))
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
            .stdout(Stdio::null())
            // Its last words, when the socket is gone.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut floor = Floor { stream, _program: program.unwrap() };
        // It waits for its first event.
        floor.read(b"\r\n\r\n").await;
        floor
    }

    async fn invoke(&mut self, number: u32) {
        let id = format!("lambda-runtime-aws-request-id: request-{number}");
        let length = EVENT.len();
        let event = format!("HTTP/1.1 200 OK\r\n{id}\r\ncontent-length: {length}\r\n\r\n{EVENT}");
        self.stream.write_all(event.as_bytes()).await.unwrap();
        // The answer, whose body is one digit, and the question for the next event.
        self.read(b"\r\n\r\n1").await;
        self.stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        self.read(b"\r\n\r\n").await;
    }

    /// Reads until it ends so.
    async fn read(&mut self, end: &[u8]) {
        let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
        while !all.ends_with(end) {
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the program has ended");
            all.extend_from_slice(&buffer[..count]);
        }
    }
}
