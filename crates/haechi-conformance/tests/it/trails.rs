//! Trails deliver files that the real `aws cloudtrail validate-logs` finds sound, and names when
//! they are not.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use haechi_conformance::{Launch, Outcome, Server, outcome, program, python, script};

const BUCKET: &str = "audit-bucket";

/// S3 over what the trails of a server deliver; ends when dropped.
struct Standin {
    child: Child,
    port: String,
}

impl Standin {
    fn start(server: &Server) -> Standin {
        let port_file = server.scratch().join("s3-port");
        let mut command = program(python());
        command.arg(script("s3_standin.py")).arg(server.data().join("trails")).arg(&port_file);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let mut standin = Standin { child, port: String::new() };
        let start = Instant::now();
        loop {
            if let Ok(port) = std::fs::read_to_string(&port_file) {
                standin.port = port;
                return standin;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "the stand-in did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn advance(server: &Server, seconds: u32) {
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--fail", "--request", "POST", "--data"]);
    curl.arg(format!("{{\"advance_seconds\": {seconds}}}"));
    curl.arg(format!("{}/_haechi/clock", server.ready().endpoint));
    outcome(&mut curl).ok();
}

/// A server whose trail has delivered log files and two digests of them.
fn delivered(launch: Launch) -> (Server, String) {
    let server = launch.start();
    let create = ["cloudtrail", "create-trail", "--name", "main", "--s3-bucket-name", BUCKET];
    let options = ["--enable-log-file-validation", "--s3-key-prefix", "pre/fix"];
    let arn = ["--query", "TrailARN", "--output", "text"];
    let arn = server.aws(&[&create[..], &options[..], &arn[..]].concat()).ok();
    server.aws(&["cloudtrail", "start-logging", "--name", "main"]).ok();
    for _ in 0..2 {
        server.aws(&["kms", "create-key"]).ok();
        // The log file, then the digest that names it.
        advance(&server, 301);
        advance(&server, 3600);
    }
    advance(&server, 3600);
    (server, arn)
}

fn dev() -> (Server, String) {
    // Its clock moves, and its data lies on the disk.
    delivered(Launch::new().options(&["--dev"]))
}

fn validate(server: &Server, arn: &str) -> Outcome {
    let standin = Standin::start(server);
    let mut command = server.client(haechi_conformance::aws());
    command.env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", standin.port));
    let validate = ["cloudtrail", "validate-logs", "--verbose", "--trail-arn", arn];
    // haechi's clock is ahead of the machine's.
    command.args(validate).args(["--start-time", "2020-01-01T00:00:00Z"]);
    command.args(["--end-time", "2099-01-01T00:00:00Z"]);
    outcome(&mut command)
}

/// Delivered files of a kind, in order.
fn files(server: &Server, kind: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&server.data().join("trails"), &mut found);
    let kind = format!("/{kind}/");
    found.retain(|path| path.to_str().unwrap().contains(&kind));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    found.sort();
    assert!(found.len() >= 2, "{kind}: {found:?}");
    found
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Changes one byte of what a compressed file holds.
fn flip(path: &Path) {
    let change = "import gzip,sys; p=sys.argv[1]; b=bytearray(gzip.open(p).read()); \
                  b[len(b)//2]^=1; gzip.open(p,'wb').write(bytes(b))";
    outcome(program(python()).args(["-c", change]).arg(path)).ok();
}

#[test]
fn the_real_validator_finds_deliveries_sound_and_so_does_haechi() {
    let (server, arn) = dev();
    let told = validate(&server, &arn).ok();
    assert!(told.contains("3/3 digest files valid"), "{told}");
    assert!(told.contains("2/2 log files valid"), "{told}");
    let log = &files(&server, "CloudTrail")[0];
    let region = &server.ready().region;
    let account = &server.ready().account_id;
    assert!(name(log).starts_with(&format!("{account}_CloudTrail_{region}_")), "{log:?}");
    let own = server.operator(&["audit", "verify"], &[]).ok();
    assert!(own.contains("3 digests, 2 log files"), "{own}");
}

#[test]
fn a_changed_log_file_is_named() {
    let (server, arn) = dev();
    let log = files(&server, "CloudTrail").remove(0);
    flip(&log);
    let told = validate(&server, &arn).fails_with("INVALID: hash value doesn't match");
    assert!(told.contains(name(&log)), "{told}");
    let own = server.operator(&["audit", "verify"], &[]);
    assert!(!own.success && own.stdout.contains(name(&log)), "{}", own.stdout);
}

#[test]
fn a_deleted_log_file_is_named() {
    let (server, arn) = dev();
    let log = files(&server, "CloudTrail").remove(0);
    std::fs::remove_file(&log).unwrap();
    let told = validate(&server, &arn).fails_with("INVALID: not found");
    assert!(told.contains(name(&log)), "{told}");
    let own = server.operator(&["audit", "verify"], &[]);
    assert!(!own.success && own.stdout.contains(name(&log)), "{}", own.stdout);
}

#[test]
fn a_changed_digest_is_named() {
    let (server, arn) = dev();
    let digest = files(&server, "CloudTrail-Digest").remove(1);
    // Still JSON: a letter of the algorithm's name, which the validator does not read.
    let change = "import gzip,sys; p=sys.argv[1]; b=gzip.open(p).read(); \
                  gzip.open(p,'wb').write(b.replace(b'SHA256withRSA', b'SHA257withRSA'))";
    outcome(program(python()).args(["-c", change]).arg(&digest)).ok();
    let told = validate(&server, &arn).fails_with("INVALID: signature verification failed");
    assert!(told.contains(name(&digest)), "{told}");
    let own = server.operator(&["audit", "verify"], &[]);
    assert!(!own.success && own.stdout.contains(name(&digest)), "{}", own.stdout);
}

#[test]
fn a_newest_digest_that_was_deleted_is_found_by_haechi_itself() {
    let (server, _) = dev();
    let digest = files(&server, "CloudTrail-Digest").pop().unwrap();
    std::fs::remove_file(&digest).unwrap();
    let own = server.operator(&["audit", "verify"], &[]);
    assert!(!own.success && own.stdout.contains(name(&digest)), "{}", own.stdout);
}

#[test]
fn a_trail_goes_on_after_a_crash_without_losing_a_record() {
    let (mut server, _) = dev();
    server.aws(&["kms", "create-key"]).ok();
    server.kill9();
    server.restart();
    // A new process begins with the machine's clock; the delivery is due on the moved one.
    advance(&server, 5 * 3600);
    let gunzip = "import gzip,sys; print(*(gzip.open(p).read() for p in sys.argv[1:]))";
    let mut command = program(python());
    command.args(["-c", gunzip]).args(files(&server, "CloudTrail"));
    let logs = outcome(&mut command).ok();
    assert_eq!(logs.matches("\"eventName\":\"CreateKey\"").count(), 3, "{logs}");
}
