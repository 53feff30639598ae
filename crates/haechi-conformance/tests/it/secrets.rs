//! Where keys, plaintexts and secrets are not: in memory after the call, in the data directory, the
//! log, the metrics, the audit trail, a core dump; and who cannot read the server's memory.
//!
//! The test knows the bytes and searches for them. It reads the server's memory as root, whom
//! nothing keeps out; without root that part is left to those who have it.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use haechi_conformance::{Launch, Server, haechi, places_of};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);
const PLAINTEXT: &str = "a plaintext that nobody else writes 5f1c";
const PLAINTEXT_BASE64: &str = "YSBwbGFpbnRleHQgdGhhdCBub2JvZHkgZWxzZSB3cml0ZXMgNWYxYw==";
const SECRET: &str = "a secret that nobody else keeps 77ab";
const PARAMETER: &str = "a parameter that nobody else reads 90ee";
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn process_of(server: &Server) -> u32 {
    let status = server.operator(&["operator", "status"], &["--json"]).ok();
    let status: Value = serde_json::from_str(&status).unwrap();
    u32::try_from(status["process"].as_u64().unwrap()).unwrap()
}

/// Addresses of a needle in the memory that a process can write.
fn addresses(process: u32, needle: &[u8]) -> Vec<u64> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw-p ")) {
        let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).unwrap());
        let mut part = vec![0; usize::try_from(to - from).unwrap()];
        // Reserved and never touched, or gone meanwhile.
        let Ok(read) = memory.read_at(&mut part, from) else { continue };
        let hits = part[..read].windows(needle.len()).enumerate();
        found.extend(hits.filter(|(_, bytes)| *bytes == needle).map(|(at, _)| from + at as u64));
    }
    found
}

/// The flags that the kernel keeps for the mapping of an address.
fn flags_at(process: u32, address: u64) -> String {
    let smaps = std::fs::read_to_string(format!("/proc/{process}/smaps")).unwrap();
    let mut inside = false;
    for line in smaps.lines() {
        let range = line.split_whitespace().next().and_then(|first| first.split_once('-'));
        let range = range.map(|(from, to)| [from, to].map(|at| u64::from_str_radix(at, 16)));
        if let Some([Ok(from), Ok(to)]) = range {
            inside = (from..to).contains(&address);
        }
        if let (true, Some(flags)) = (inside, line.strip_prefix("VmFlags: ")) {
            return format!("{} ", flags.trim());
        }
    }
    panic!("no mapping at {address:x}")
}

/// Calls that take secrets in and give them out; answers a data key that KMS made, in base64.
fn use_secrets(server: &Server) -> String {
    let make = ["kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text"];
    let key = server.aws(&make).ok().trim().to_owned();
    let plaintext = server.fileb("plaintext", PLAINTEXT_BASE64);
    let encrypt = ["kms", "encrypt", "--key-id", &key, "--plaintext", &plaintext];
    let text = ["--query", "CiphertextBlob", "--output", "text"];
    let blob = server.aws(&[&encrypt[..], &text].concat()).ok();
    let blob = server.fileb("blob", blob.trim());
    let decrypt = ["kms", "decrypt", "--ciphertext-blob", &blob, "--query", "Plaintext"];
    let opened = server.aws(&[&decrypt[..], &["--output", "text"]].concat()).ok();
    assert_eq!(opened.trim(), PLAINTEXT_BASE64);
    let create = ["secretsmanager", "create-secret", "--name", "s", "--secret-string", SECRET];
    server.aws(&create).ok();
    let read = ["secretsmanager", "get-secret-value", "--secret-id", "s"];
    assert!(server.aws(&read).ok().contains(SECRET));
    let put = ["ssm", "put-parameter", "--name", "p", "--type", "SecureString"];
    server.aws(&[&put[..], &["--value", PARAMETER]].concat()).ok();
    let read = ["ssm", "get-parameter", "--name", "p", "--with-decryption"];
    assert!(server.aws(&read).ok().contains(PARAMETER));
    let data_key = ["kms", "generate-data-key", "--key-id", &key, "--key-spec", "AES_256"];
    let text = ["--query", "Plaintext", "--output", "text"];
    server.aws(&[&data_key[..], &text].concat()).ok().trim().to_owned()
}

fn decoded(base64: &str) -> Vec<u8> {
    let mut command = Command::new("base64");
    let mut child = command.arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), base64.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn what_went_through_the_server_is_nowhere_afterwards() {
    let server = Launch::new().options(&["--log", "debug"]).start();
    let data_key = use_secrets(&server);
    let root_key = std::fs::read_to_string(server.data().join("root.key")).unwrap();
    let root_key: Vec<u8> = root_key
        .trim()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let needles: BTreeMap<&str, Vec<u8>> = BTreeMap::from([
        ("plaintext", PLAINTEXT.into()),
        ("plaintext in base64", PLAINTEXT_BASE64.into()),
        ("data key", decoded(&data_key)),
        ("data key in base64", data_key.clone().into_bytes()),
        ("secret", SECRET.into()),
        ("parameter", PARAMETER.into()),
    ]);
    let trail = server.operator(&["audit", "tail"], &["--json", "--lines", "100"]).ok();
    assert!(trail.contains("GenerateDataKey") && trail.contains("PutParameter"), "{trail}");
    let log = server.output();
    let secret_key = server.ready().secret_access_key.clone();
    for (name, needle) in &needles {
        assert!(places_of(needle, server.data()).is_empty(), "{name} in the data directory");
        for (place, text) in [("audit trail", &trail), ("log", &log)] {
            let hit = text.as_bytes().windows(needle.len()).any(|bytes| bytes == &needle[..]);
            assert!(!hit, "{name} in the {place}");
        }
    }
    assert!(!log.contains(&secret_key) && !trail.contains(&secret_key));
    assert_eq!(
        places_of(secret_key.as_bytes(), server.data()),
        [server.data().join("credentials")]
    );
    assert!(places_of(&root_key, server.data()).is_empty(), "root.key has it in digits");
    if !is_root() {
        println!("not root: the server's memory was not searched");
        return;
    }
    let process = process_of(&server);
    // The last answer may still be on its way when the client has it.
    let begun = Instant::now();
    for (name, needle) in &needles {
        while !addresses(process, needle).is_empty() {
            let left = addresses(process, needle);
            assert!(begun.elapsed() < PATIENCE, "{name} stays in memory at {left:x?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    let [place] = addresses(process, &root_key)[..] else { panic!("the root key is in one place") };
    let flags = flags_at(process, place);
    assert!(flags.contains("dd "), "not to be dumped: {flags}");
    let warned = log.contains("could not be locked");
    assert!(flags.contains("lo ") != warned, "locked, or said not to be: {flags}");
}

/// A server of another user, as a service would be; without root, of this one.
struct Service {
    child: Child,
    folder: tempfile::TempDir,
}

/// A command of that user.
fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = NOBODY.to_string();
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(program);
    command
}

impl Service {
    fn start() -> Service {
        let folder = tempfile::tempdir().unwrap();
        // A copy, since that user may not enter the folder where it was built.
        let program = folder.path().join("haechi");
        std::fs::copy(haechi(&[]).get_program(), &program).unwrap();
        if is_root() {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let ready = folder.path().join("ready.json");
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = as_user(&program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off"]);
        command.arg("--data").arg(folder.path().join("data")).arg("--ready-file").arg(&ready);
        command.current_dir(folder.path()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        let service = Service { child, folder };
        let begun = Instant::now();
        while !ready.exists() {
            let log = std::fs::read_to_string(service.folder.path().join("log")).unwrap();
            assert!(begun.elapsed() < PATIENCE, "{log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn its_own_user_cannot_read_its_memory_and_a_crash_dumps_no_core() {
    let mut service = Service::start();
    let process = service.child.id();
    // What may read this may attach a debugger: the kernel asks the same question.
    for file in ["mem", "environ", "auxv"] {
        let path = format!("/proc/{process}/{file}");
        let output = as_user(Path::new("head")).args(["-c", "1", &path]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains("Permission denied"), "{file}: {text}");
    }
    // And it can where nothing forbids it: this is the kernel's answer to haechi, not to everybody.
    let mut other = as_user(Path::new("sleep")).arg("60").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let path = format!("/proc/{}/environ", other.id());
    let output = as_user(Path::new("head")).args(["-c", "1", &path]).output().unwrap();
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(output.status.success(), "{output:?}");

    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    let id = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    kill_process(id, Signal::ABORT).unwrap();
    let status = service.child.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
}
