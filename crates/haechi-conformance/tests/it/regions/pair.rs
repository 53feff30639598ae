//! Two deployments that know each other.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use haechi_conformance::{
    Launch, Outcome, Relay, Server, encryption_python, entries, python, script,
};
use serde_json::{Value, json};

pub const HOME: &str = "eu-west-1";
pub const AWAY: &str = "us-east-1";

/// Longer than any back-off between peers, on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// A deployment, and the network that leads to it.
pub struct Deployment {
    pub server: Server,
    pub relay: Relay,
    pub region: &'static str,
}

/// Two deployments that know each other.
pub struct Pair {
    _folder: tempfile::TempDir,
    pub home: Deployment,
    pub away: Deployment,
}

impl Deployment {
    pub fn start(folder: &Path, region: &'static str, account: Option<&str>) -> Deployment {
        let relay = Relay::new();
        let text = format!(
            "region = \"{region}\"\n[regions]\nlocal = [\"{region}\"]\n[peering]\nname = \"{region}\"\n\
             listen = \"127.0.0.1:0\"\nendpoint = \"{}\"\n",
            relay.address()
        );
        let configuration = folder.join(format!("{region}.toml"));
        std::fs::write(&configuration, text).unwrap();
        let mut options = vec!["--config", configuration.to_str().unwrap()];
        options.extend(account.iter().flat_map(|account| ["--account-id", account]));
        let server = Launch::new().options(&options).start();
        let deployment = Deployment { server, relay, region };
        deployment.lead();
        deployment
    }

    /// The relay leads to the port that the server has now.
    pub fn lead(&self) {
        let text = std::fs::read(self.server.ready_file()).unwrap();
        let ready: Value = serde_json::from_slice(&text).unwrap();
        let address = ready["peer_address"].as_str().unwrap();
        self.relay.lead_to(address.rsplit_once(':').unwrap().1.parse().unwrap());
    }

    pub fn restart(&mut self) {
        self.server.restart();
        self.lead();
    }

    /// Runs the AWS CLI and reads what it prints.
    pub fn aws(&self, arguments: &[&str]) -> Value {
        let text = self.server.aws(arguments).ok();
        if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    pub fn describe(&self, key: &str) -> Option<Value> {
        let answer = self.server.aws(&["kms", "describe-key", "--key-id", key]);
        let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        answer.success.then(|| read(answer.stdout)["KeyMetadata"].clone())
    }

    pub fn material(&self, key: &str) -> String {
        self.describe(key).unwrap()["CurrentKeyMaterialId"].as_str().unwrap().to_owned()
    }

    pub fn encrypt(&self, key: &str) -> String {
        let plain = self.server.fileb("plain", "aGVsbG8=");
        let encrypt = ["kms", "encrypt", "--key-id", key, "--plaintext", &plain];
        self.aws(&encrypt)["CiphertextBlob"].as_str().unwrap().to_owned()
    }

    pub fn decrypts(&self, blob: &str) {
        let file = self.server.fileb("blob", blob);
        let opened = self.aws(&["kms", "decrypt", "--ciphertext-blob", &file]);
        assert_eq!(opened["Plaintext"], "aGVsbG8=");
    }

    /// The Encryption SDK for Python.
    pub fn message(&self) -> Command {
        let mut command = self.server.client(encryption_python());
        command.arg(script("message.py"));
        command
    }
}

impl Pair {
    pub fn start() -> Pair {
        let folder = tempfile::tempdir().unwrap();
        let home = Deployment::start(folder.path(), HOME, None);
        let account = home.server.ready().account_id.clone();
        let away = Deployment::start(folder.path(), AWAY, Some(&account));
        Pair::of(folder, home, away)
    }

    /// Of deployments that do not know each other yet.
    pub fn of(folder: tempfile::TempDir, home: Deployment, away: Deployment) -> Pair {
        for (from, to) in [(&home, &away), (&away, &home)] {
            let card = from.server.operator(&["peer", "card"], &[]).ok();
            let file = folder.path().join(format!("{}.card", from.region));
            std::fs::write(&file, card).unwrap();
            to.server.operator(&["peer", "add"], &[file.to_str().unwrap()]).ok();
        }
        Pair { _folder: folder, home, away }
    }

    /// A script that calls both.
    pub fn script(&self, name: &str) -> Command {
        let side = |side: &Deployment| {
            let ready = side.server.ready();
            json!({
                "endpoint": ready.endpoint,
                "region": side.region,
                "ca": ready.ca_bundle,
                "access_key_id": ready.access_key_id,
                "secret_access_key": ready.secret_access_key,
            })
        };
        let mut command = self.home.server.client(python());
        command.env("SIDES", json!([side(&self.home), side(&self.away)]).to_string());
        command.arg(script(name));
        command
    }

    pub fn cut(&self, cut: bool) {
        self.home.relay.cut(cut);
        self.away.relay.cut(cut);
    }

    /// A multi-Region key at home with a replica away.
    pub fn key(&self) -> String {
        let made = self.home.aws(&["kms", "create-key", "--multi-region"]);
        let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
        self.home.aws(&["kms", "replicate-key", "--key-id", &id, "--replica-region", AWAY]);
        until("the replica is there", || self.away.describe(&id).is_some());
        id
    }

    pub fn read_each_other(&self, key: &str) {
        self.away.decrypts(&self.home.encrypt(key));
        self.home.decrypts(&self.away.encrypt(key));
    }
}

/// Waits for a condition.
#[track_caller]
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Asserts that a command failed, and with which words.
pub fn refused(outcome: &Outcome, words: &str) {
    assert!(!outcome.success && outcome.stderr.contains(words), "{}", outcome.stderr);
}

/// Whether any file of a folder holds some bytes.
pub fn lies_on_disk(folder: &Path, bytes: &[u8]) -> bool {
    let holds = |file: &Path| {
        std::fs::read(file).unwrap_or_default().windows(bytes.len()).any(|part| part == bytes)
    };
    entries(folder).iter().any(|entry| holds(&entry.path))
}
