//! Two deployments in two Regions, each a process with a data directory of its own, peered over a
//! network that the test can cut.

mod network;
mod pair;
mod secrets;

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use haechi_conformance::{Launch, Relay, outcome};

use pair::*;

#[test]
fn the_encryption_sdk_encrypts_in_one_region_and_decrypts_in_the_other() {
    let pair = Pair::start();
    let key = pair.key();
    let [home, away] = [&pair.home, &pair.away]
        .map(|side| side.describe(&key).unwrap()["Arn"].as_str().unwrap().to_owned());
    let message = pair.home.server.scratch().join("message");
    for (sealer, own, opener, other) in
        [(&pair.home, &home, &pair.away, &away), (&pair.away, &away, &pair.home, &home)]
    {
        let mut command = sealer.message();
        let mut child =
            command.args(["seal", own]).arg(&message).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"over the sea").unwrap();
        assert!(child.wait().unwrap().success());
        for (verb, name) in [("open", other.as_str()), ("discover", opener.region)] {
            let opened = outcome(opener.message().args([verb, name]).arg(&message)).ok();
            assert_eq!(opened, "over the sea");
        }
    }
}

#[test]
fn a_region_that_is_served_elsewhere_is_refused_with_where_it_is_served() {
    let pair = Pair::start();
    let endpoint = &pair.away.server.ready().endpoint;
    let list = ["kms", "list-keys", "--region", AWAY];
    refused(&pair.home.server.aws(&list), &format!("Region {AWAY} is served at {endpoint}"));
    let list = ["secretsmanager", "list-secrets", "--region", "ap-south-1"];
    refused(&pair.home.server.aws(&list), "served by no deployment that is known here");
    // What is of no Region is served everywhere.
    pair.home.server.aws(&["iam", "list-users"]).ok();
    pair.home.server.aws(&["sts", "get-caller-identity"]).ok();
    let listed = pair.home.server.operator(&["peer", "list"], &[]).ok();
    assert!(listed.contains(AWAY) && listed.trim_end().ends_with("answers"), "{listed}");
    let listed = pair.home.server.operator(&["peer", "list", "--json"], &[]).ok();
    let lines: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(lines[0]["answers"], true);
    assert!(lines[0]["fingerprint"].is_string() && lines[0]["accounts"].is_null(), "{listed}");
}

#[test]
fn both_sides_serve_through_a_partition_and_what_waited_goes_on_after_it() {
    let pair = Pair::start();
    let key = pair.key();
    let old = pair.home.material(&key);
    pair.cut(true);
    pair.home.aws(&["kms", "rotate-key-on-demand", "--key-id", &key]);
    let status = ["kms", "get-key-rotation-status", "--key-id", &key];
    assert!(pair.home.aws(&status).get("OnDemandRotationStartDate").is_some());
    let again = ["kms", "rotate-key-on-demand", "--key-id", &key];
    refused(&pair.home.server.aws(&again), "ConflictException");
    pair.read_each_other(&key);
    // Asked for now, made later.
    let made = pair.home.aws(&["kms", "create-key", "--multi-region"]);
    let late = made["KeyMetadata"]["KeyId"].as_str().unwrap();
    pair.home.aws(&["kms", "replicate-key", "--key-id", late, "--replica-region", AWAY]);
    let promote = ["kms", "update-primary-region", "--key-id", &key, "--primary-region", AWAY];
    refused(&pair.home.server.aws(&promote), "KMSInvalidStateException");
    assert_eq!(pair.home.material(&key), old);

    pair.cut(false);
    until("the rotation is done", || pair.home.material(&key) != old);
    until("the replica follows", || pair.away.material(&key) == pair.home.material(&key));
    until("the late replica is there", || pair.away.describe(late).is_some());
    pair.read_each_other(&key);
    until("the primary can move", || pair.home.server.aws(&promote).success);
    let primary = |side: &Deployment| {
        side.describe(&key).unwrap()["MultiRegionConfiguration"]["PrimaryKey"]["Region"] == AWAY
    };
    until("the primary has moved", || primary(&pair.away) && primary(&pair.home));
    let old = pair.home.material(&key);
    pair.away.aws(&["kms", "rotate-key-on-demand", "--key-id", &key]);
    until("it rotates there", || pair.away.material(&key) != old);
    pair.read_each_other(&key);
}

#[test]
fn a_replica_serves_on_when_the_primarys_deployment_is_dead() {
    let mut pair = Pair::start();
    let key = pair.key();
    let blob = pair.home.encrypt(&key);
    pair.home.server.kill9();
    pair.away.decrypts(&blob);
    let later = pair.away.encrypt(&key);
    let promote = ["kms", "update-primary-region", "--key-id", &key, "--primary-region", AWAY];
    refused(&pair.away.server.aws(&promote), "is not a multi-region primary key");
    pair.home.restart();
    pair.home.decrypts(&later);
}

#[test]
fn a_crash_in_the_middle_of_replication_leaves_no_half_key() {
    let mut pair = Pair::start();
    let mut keys: Vec<String> = Vec::new();
    for round in 0..6_u64 {
        let made = outcome(pair.script("regions_crash.py").args(["create", "3"])).ok();
        keys.extend(made.lines().map(str::to_owned));
        let mut replicating = Vec::new();
        for id in &keys[keys.len() - 3..] {
            let mut command = pair.home.server.client(haechi_conformance::aws());
            command.args(["kms", "replicate-key", "--key-id", id, "--replica-region", AWAY]);
            replicating.push(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        }
        // Another instant of it in each round.
        std::thread::sleep(Duration::from_millis(450 + 130 * round));
        let side = if round % 2 == 0 { &mut pair.home } else { &mut pair.away };
        side.server.kill9();
        side.restart();
        for mut child in replicating {
            let _ = child.wait();
        }
    }
    let there = outcome(pair.script("regions_crash.py").arg("check").args(&keys)).ok();
    println!("{} of {} keys were replicated", there.trim(), keys.len());
}

#[test]
fn material_that_is_known_lies_on_no_disk_and_goes_over_no_wire() {
    let pair = Pair::start();
    let create = ["kms", "create-key", "--multi-region", "--origin", "EXTERNAL"];
    let made = pair.home.aws(&create);
    let key = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let bytes: Vec<u8> = (0..32).map(|byte| byte * 7 + 1).collect();
    import(&pair.home, &key, &bytes);
    pair.home.aws(&["kms", "replicate-key", "--key-id", &key, "--replica-region", AWAY]);
    until("the replica is there", || pair.away.describe(&key).is_some());
    assert_eq!(pair.away.describe(&key).unwrap()["KeyState"], "PendingImport");
    import(&pair.away, &key, &bytes);
    pair.read_each_other(&key);
    for side in [&pair.home, &pair.away] {
        assert!(!lies_on_disk(side.server.data(), &bytes));
        let carried = side.relay.carried();
        assert!(!carried.is_empty());
        assert!(!carried.windows(bytes.len()).any(|part| part == bytes));
        // Nothing is said in the open.
        assert!(!carried.windows(key.len()).any(|part| part == key.as_bytes()));
    }
}

/// Imports key material with openssl, as a customer would.
fn import(side: &Deployment, key: &str, bytes: &[u8]) {
    let parameters = side.aws(&[
        "kms",
        "get-parameters-for-import",
        "--key-id",
        key,
        "--wrapping-algorithm",
        "RSAES_OAEP_SHA_256",
        "--wrapping-key-spec",
        "RSA_2048",
    ]);
    let scratch = side.server.scratch();
    side.server.fileb("public.der", parameters["PublicKey"].as_str().unwrap());
    let token = side.server.fileb("token", parameters["ImportToken"].as_str().unwrap());
    let [public, plain, wrapped] =
        ["public.der", "plain", "wrapped"].map(|name| scratch.join(name));
    std::fs::write(&plain, bytes).unwrap();
    let mut openssl = haechi_conformance::program("openssl");
    openssl.args(["pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey"]).arg(&public);
    openssl.arg("-in").arg(&plain).arg("-out").arg(&wrapped);
    for option in ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"] {
        openssl.args(["-pkeyopt", option]);
    }
    outcome(&mut openssl).ok();
    let material = format!("fileb://{}", wrapped.display());
    side.aws(&[
        "kms",
        "import-key-material",
        "--key-id",
        key,
        "--import-token",
        &token,
        "--encrypted-key-material",
        &material,
        "--expiration-model",
        "KEY_MATERIAL_DOES_NOT_EXPIRE",
    ]);
}

#[test]
fn a_card_that_contradicts_what_is_known_is_refused() {
    let pair = Pair::start();
    let card = pair.away.server.operator(&["peer", "card"], &[]).ok();
    let file = pair.home.server.scratch().join("card");
    let add = |text: &str| {
        std::fs::write(&file, text).unwrap();
        pair.home.server.operator(&["peer", "add"], &[file.to_str().unwrap()])
    };
    assert!(add(&card).success);
    refused(&add(&card.replace(AWAY, HOME)), "which is served here");
    refused(&add("{}"), "this is no card of a deployment");
    let own = pair.home.server.operator(&["peer", "card"], &[]).ok();
    refused(&add(&own), "this very deployment");
    pair.home.server.operator(&["peer", "remove"], &[AWAY]).ok();
    refused(&pair.home.server.operator(&["peer", "remove"], &[AWAY]), "there is no peer");
    // Whoever is removed is a stranger.
    let listed = pair.away.server.operator(&["peer", "list"], &[]).ok();
    assert!(listed.trim_end().ends_with("does not answer"), "{listed}");
}
