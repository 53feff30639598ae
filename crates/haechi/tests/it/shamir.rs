//! A root key that is split among people: from `operator init` over a sealed server to one that
//! serves, back again, and every way in which that goes wrong.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::run::{Server, operate, serve};

const PATIENCE: Duration = Duration::from_secs(60);

fn unseal(data: &Path, share: &str) -> (bool, String) {
    operate(data, &["operator", "unseal"], &format!("{share}\n"))
}

fn state(data: &Path) -> serde_json::Value {
    let (done, text) = operate(data, &["operator", "status", "--json"], "");
    assert!(done, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A data directory with shares.
struct Split {
    folder: tempfile::TempDir,
    data: PathBuf,
    shares: Vec<String>,
}

fn split(shares: u8, threshold: u8) -> Split {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (shares, threshold) = (shares.to_string(), threshold.to_string());
    let init = ["operator", "init", "--shares", &shares, "--threshold", &threshold];
    let (done, text) = operate(&data, &init, "");
    assert!(done, "{text}");
    let printed = text.lines().map(str::trim).filter(|line| line.starts_with("haechi1-"));
    let shares: Vec<String> = printed.map(str::to_owned).collect();
    Split { folder, data, shares }
}

/// A server that starts sealed; killed when dropped.
struct Sealed {
    child: Child,
    log: PathBuf,
    ready_file: PathBuf,
}

impl Sealed {
    fn start(split: &Split, options: &[&str]) -> Sealed {
        let ready_file = split.folder.path().join("ready.json");
        let log = split.folder.path().join("log");
        let output = std::fs::File::create(&log).unwrap();
        let mut command = serve(&split.data, &ready_file, options);
        command.stdout(output.try_clone().unwrap()).stderr(output);
        let sealed = Sealed { child: command.spawn().unwrap(), log, ready_file };
        sealed.wait_for("is sealed");
        sealed
    }

    fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.output().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "{}", self.output());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The address that it names.
    fn address(&self) -> String {
        self.wait_for("(answers 503)");
        let output = self.output();
        let line = output.lines().rfind(|line| line.contains("(answers 503)")).unwrap();
        line.split_whitespace().nth(1).unwrap().split_once("://").unwrap().1.to_owned()
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The whole answer to a request in the open.
fn plain(address: &str, request: &str) -> String {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn enough_shares_unseal_a_server_and_seal_drops_the_keys_again() {
    let split = split(5, 3);
    assert_eq!(split.shares.len(), 5);
    assert_eq!(state(&split.data)["state"], "stopped");
    let sealed = Sealed::start(&split, &[]);
    let status = state(&split.data);
    assert_eq!(status["state"], "sealed");
    let mut seal = status["seal"].clone();
    assert_eq!(seal["installation"].as_str().unwrap().len(), 16);
    seal["installation"] = "".into();
    let expected = r#"{"kind":"shamir","installation":"","shares":5,"threshold":3,"given":0}"#;
    assert_eq!(seal.to_string(), expected);
    assert!(!sealed.ready_file.exists());

    for (place, told) in [(4, "1 of 3"), (0, "2 of 3"), (2, "unsealed and serves")] {
        let (done, text) = unseal(&split.data, &split.shares[place]);
        assert!(done && text.contains(told), "{text}");
    }
    assert_eq!(state(&split.data)["state"], "serving");
    assert!(sealed.ready_file.exists());
    let (done, accounts) = operate(&split.data, &["account", "list"], "");
    assert!(done, "{accounts}");
    let (done, text) = unseal(&split.data, "");
    assert!(done && text.contains("no share is needed"), "{text}");

    let before = sealed.output().matches("is sealed").count();
    let (done, text) = operate(&split.data, &["operator", "seal"], "");
    assert!(done && text.contains("dropped its keys"), "{text}");
    assert_eq!(sealed.output().matches("is sealed").count(), before + 1);
    let status = state(&split.data);
    assert_eq!(status["process"], sealed.child.id(), "the same process, begun anew");
    assert_eq!(status["state"], "sealed");
    assert_eq!(status["seal"]["given"], 0);
    let (done, text) = operate(&split.data, &["account", "list"], "");
    assert!(!done && text.contains("haechi is sealed"), "{text}");
    for place in [1, 2, 3] {
        assert!(unseal(&split.data, &split.shares[place]).0);
    }
    assert_eq!(operate(&split.data, &["account", "list"], ""), (true, accounts));
}

#[test]
fn a_sealed_server_answers_503_in_every_protocol_and_is_not_ready() {
    let split = split(2, 2);
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let admin = address.to_string();
    let sealed = Sealed::start(&split, &["--plaintext", "--admin-listen", &admin]);
    let api = sealed.address();
    let tail = "Host: localhost\r\nConnection: close\r\n";
    let json = format!(
        "POST / HTTP/1.1\r\n{tail}X-Amz-Target: TrentService.Encrypt\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let answer = plain(&api, &json);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\"__type\":\"ServiceUnavailableException\""), "{answer}");
    assert!(answer.contains("haechi is sealed"), "{answer}");
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let query = format!(
        "POST / HTTP/1.1\r\n{tail}Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = plain(&api, &query);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("<Code>ServiceUnavailable</Code>"), "{answer}");
    let ready = format!("GET /readyz HTTP/1.1\r\n{tail}\r\n");
    let answer = plain(&admin, &ready);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("sealed"), "{answer}");
    for share in &split.shares {
        assert!(unseal(&split.data, share).0);
    }
    assert!(plain(&admin, &ready).starts_with("HTTP/1.1 200 "));
    // At the same port, by those who know whom to let in.
    let answer = plain(&api, &json);
    assert!(answer.contains("MissingAuthenticationToken"), "{answer}");
}

#[test]
fn wrong_shares_are_named_and_spoil_nothing() {
    let (split, other) = (split(3, 2), self::split(2, 2));
    let sealed = Sealed::start(&split, &[]);
    assert!(unseal(&split.data, &split.shares[0]).0);
    let mut mistyped = split.shares[1].clone();
    let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
    mistyped.push(last);
    for (share, told) in [
        (&split.shares[0], "share 1 was given already"),
        (&mistyped, "mistyped"),
        (&other.shares[1], "is of installation"),
        (&"correct horse battery staple".to_owned(), "that is no share"),
    ] {
        let (done, text) = unseal(&split.data, share);
        assert!(!done && text.contains(told), "{text}");
        assert!(!text.contains(share), "a refusal repeats no share");
    }
    assert_eq!(state(&split.data)["seal"]["given"], 1);
    let (done, text) = unseal(&split.data, &split.shares[2]);
    assert!(done && text.contains("unsealed"), "{text}");
    for share in split.shares.iter().chain(&other.shares) {
        assert!(!sealed.output().contains(&share[8..20]), "a log holds no share");
    }
}

/// Every file with its content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() && !path.ends_with("lock") {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

#[test]
fn with_a_lost_quorum_nothing_opens_and_nothing_is_touched() {
    let split = split(3, 3);
    {
        let _sealed = Sealed::start(&split, &[]);
        for share in &split.shares {
            assert!(unseal(&split.data, share).0);
        }
        assert!(operate(&split.data, &["account", "list"], "").0);
        let (done, text) = operate(&split.data, &["operator", "seal"], "");
        assert!(done, "{text}");
    }
    let before = files(&split.data);
    {
        let mut sealed = Sealed::start(&split, &[]);
        for share in &split.shares[..2] {
            assert!(unseal(&split.data, share).0);
        }
        assert_eq!(state(&split.data)["state"], "sealed");
        let id = Pid::from_raw(i32::try_from(sealed.child.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        assert_eq!(sealed.child.wait().unwrap().code(), Some(0));
        assert_eq!(state(&split.data)["state"], "stopped");
    }
    // Neither does a command that opens the directory by itself.
    let two = split.shares[..2].join("\n");
    let (done, text) = operate(&split.data, &["account", "list"], &two);
    assert!(!done && text.contains("Share 3 of 3"), "{text}");
    assert_eq!(files(&split.data), before);
    let three = split.shares.join("\n");
    assert!(operate(&split.data, &["account", "list"], &three).0, "the third makes the difference");
}

#[test]
fn what_has_a_root_key_is_not_split_and_a_split_one_needs_its_people() {
    let mut server = Server::start(&[]);
    let init = ["operator", "init", "--shares", "3", "--threshold", "2"];
    let (done, text) = operate(&server.data, &init, "");
    assert!(!done && text.contains("in use by another haechi"), "{text}");
    let (done, text) = operate(&server.data, &["operator", "seal"], "");
    assert!(!done && text.contains("would open it again"), "{text}");
    assert_eq!(state(&server.data)["seal"]["kind"], "file");
    server.signal(Signal::TERM);
    server.child.wait().unwrap();
    let (done, text) = operate(&server.data, &init, "");
    assert!(!done && text.contains("has a root key already"), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (_, text) = operate(&data, &["serve", "--seal", "shamir", "--listen", "127.0.0.1:0"], "");
    assert!(text.contains("haechi operator init"), "{text}");
    let (done, text) =
        operate(&data, &["operator", "init", "--shares", "2", "--threshold", "3"], "");
    assert!(!done && text.contains("2 to 32 shares"), "{text}");
    assert!(!data.join("seal.json").exists());
    let (done, text) = operate(&data, &["operator", "unseal"], "");
    assert!(!done && text.contains("no server runs"), "{text}");
}

#[test]
fn a_second_sealed_server_is_refused() {
    let split = split(2, 2);
    let _first = Sealed::start(&split, &[]);
    let mut second: Command = serve(&split.data, &split.folder.path().join("second.json"), &[]);
    let output = second.output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("in use by another haechi"), "{text}");
}
