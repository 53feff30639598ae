//! Secrets with replicas in Regions that another deployment serves.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::pair::*;

impl Deployment {
    fn secret(&self, name: &str) -> Option<String> {
        let get = ["secretsmanager", "get-secret-value", "--secret-id", name];
        let answer = self.server.aws(&get);
        let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        answer.success.then(|| read(answer.stdout)["SecretString"].as_str().unwrap().to_owned())
    }

    fn put(&self, name: &str, value: &str) {
        self.aws(&[
            "secretsmanager",
            "put-secret-value",
            "--secret-id",
            name,
            "--secret-string",
            value,
        ]);
    }

    /// Status and message of the replica away.
    fn replication(&self, name: &str) -> Option<(String, String)> {
        let secret = self.aws(&["secretsmanager", "describe-secret", "--secret-id", name]);
        let replica = secret["ReplicationStatus"].as_array()?.first()?.clone();
        let text = |member: &str| replica[member].as_str().unwrap_or_default().to_owned();
        Some((text("Status"), text("StatusMessage")))
    }
}

fn create_secret(pair: &Pair, name: &str, value: &str, replica: &str) {
    pair.home.aws(&[
        "secretsmanager",
        "create-secret",
        "--name",
        name,
        "--secret-string",
        value,
        "--add-replica-regions",
        replica,
    ]);
}

fn is_in_sync(pair: &Pair, name: &str) -> bool {
    pair.home.replication(name).is_some_and(|(status, _)| status == "InSync")
}

const SECRET: &str = "shop/db";

#[test]
fn a_secret_is_replicated_follows_and_is_promoted_with_its_primary_dead() {
    let mut pair = Pair::start();
    create_secret(&pair, SECRET, "first-value-7f3a", &format!("Region={AWAY}"));
    until("it is in sync", || is_in_sync(&pair, SECRET));
    assert_eq!(pair.away.secret(SECRET).unwrap(), "first-value-7f3a");
    let put = ["secretsmanager", "put-secret-value", "--secret-id", SECRET, "--secret-string", "x"];
    refused(&pair.away.server.aws(&put), "Operation not permitted on a replica secret");

    pair.cut(true);
    pair.home.put(SECRET, "second-value-91cc");
    pair.home.put(SECRET, "third-value-b20e");
    assert_eq!(pair.home.replication(SECRET).unwrap().0, "InProgress");
    assert_eq!(pair.away.secret(SECRET).unwrap(), "first-value-7f3a");
    pair.cut(false);
    until("it follows", || pair.away.secret(SECRET).unwrap() == "third-value-b20e");
    until("it is in sync", || is_in_sync(&pair, SECRET));

    pair.home.server.kill9();
    let stop = ["secretsmanager", "stop-replication-to-replica", "--secret-id", SECRET];
    pair.away.aws(&stop);
    pair.away.put(SECRET, "its-own-value-5d61");
    assert_eq!(pair.away.secret(SECRET).unwrap(), "its-own-value-5d61");
    pair.home.restart();
    pair.home.put(SECRET, "fourth-value-e8a4");
    until("the primary has learnt of it", || pair.home.replication(SECRET).is_none());
    assert_eq!(pair.away.secret(SECRET).unwrap(), "its-own-value-5d61");
    assert_eq!(pair.home.secret(SECRET).unwrap(), "fourth-value-e8a4");
    // The name is taken there now.
    let replica = format!("Region={AWAY}");
    let replicate = [
        "secretsmanager",
        "replicate-secret-to-regions",
        "--secret-id",
        SECRET,
        "--add-replica-regions",
        &replica,
        "--force-overwrite-replica-secret",
    ];
    pair.home.aws(&replicate);
    let failed = |(status, message): (String, String)| {
        status == "Failed" && message.contains("already exists")
    };
    until("it says so", || pair.home.replication(SECRET).is_some_and(failed));
    assert_eq!(pair.away.secret(SECRET).unwrap(), "its-own-value-5d61");
    for side in [&pair.home, &pair.away] {
        let carried = side.relay.carried();
        for value in ["first-value-7f3a", "second-value-91cc", "third-value-b20e"] {
            assert!(!lies_on_disk(side.server.data(), value.as_bytes()), "{value}");
            assert!(!carried.windows(value.len()).any(|part| part == value.as_bytes()), "{value}");
        }
    }
}

#[test]
fn a_replica_has_its_own_kms_key_and_is_removed_across_a_partition() {
    let pair = Pair::start();
    let key = pair.away.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].clone();
    let key = key.as_str().unwrap();
    create_secret(&pair, SECRET, "value", &format!("Region={AWAY},KmsKeyId={key}"));
    until("it is in sync", || is_in_sync(&pair, SECRET));
    let there = pair.away.aws(&["secretsmanager", "describe-secret", "--secret-id", SECRET]);
    assert_eq!((&there["KmsKeyId"], &there["PrimaryRegion"]), (&key.into(), &HOME.into()));

    pair.away.aws(&["kms", "disable-key", "--key-id", key]);
    pair.home.put(SECRET, "new");
    let failed = |(status, message): (String, String)| status == "Failed" && !message.is_empty();
    until("it says that it fell behind", || pair.home.replication(SECRET).is_some_and(failed));
    pair.away.aws(&["kms", "enable-key", "--key-id", key]);
    let replica = format!("Region={AWAY},KmsKeyId={key}");
    let replicate = ["secretsmanager", "replicate-secret-to-regions", "--secret-id", SECRET];
    let replicate = [&replicate[..], &["--add-replica-regions", &replica]].concat();
    pair.home.aws(&replicate);
    until("it caught up", || pair.away.secret(SECRET).as_deref() == Some("new"));
    until("it is in sync", || is_in_sync(&pair, SECRET));

    pair.cut(true);
    let remove = ["secretsmanager", "remove-regions-from-replication", "--secret-id", SECRET];
    pair.home.aws(&[&remove[..], &["--remove-replica-regions", AWAY]].concat());
    assert_eq!(pair.home.replication(SECRET), None);
    assert_eq!(pair.away.secret(SECRET).as_deref(), Some("new"));
    pair.cut(false);
    until("it is gone", || pair.away.secret(SECRET).is_none());
    pair.home.aws(&replicate);
    until("it is there again", || pair.away.secret(SECRET).as_deref() == Some("new"));
}

#[test]
fn a_crash_in_the_middle_of_a_change_leaves_no_half_secret() {
    let mut pair = Pair::start();
    create_secret(&pair, SECRET, "0", &format!("Region={AWAY}"));
    until("it is in sync", || is_in_sync(&pair, SECRET));
    let mut acknowledged = "0".to_owned();
    for round in 1..=6_u64 {
        let value = round.to_string();
        let mut command = pair.home.server.client(haechi_conformance::aws());
        command.args(["secretsmanager", "put-secret-value", "--secret-id", SECRET]);
        command.args(["--secret-string", &value]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut writer = command.spawn().unwrap();
        // Another instant of it in each round.
        std::thread::sleep(Duration::from_millis(500 + 90 * round));
        let side = if round % 2 == 0 { &mut pair.home } else { &mut pair.away };
        side.server.kill9();
        side.restart();
        if writer.wait().unwrap().success() {
            acknowledged = value;
        }
        until("both say the same", || {
            let home = pair.home.secret(SECRET).unwrap();
            let there = pair.away.secret(SECRET).unwrap();
            home.parse::<u64>().unwrap() >= acknowledged.parse().unwrap() && home == there
        });
    }
    until("it is in sync", || is_in_sync(&pair, SECRET));
}
