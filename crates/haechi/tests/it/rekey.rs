//! The root key changed while haechi serves, from any kind of seal to any other, and cut off.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::run::{Server, haechi, operate};

fn accounts(data: &Path) -> String {
    let (done, text) = operate(data, &["account", "list"], "");
    assert!(done, "{text}");
    text
}

fn seal_kind(data: &Path) -> String {
    let (done, text) = operate(data, &["operator", "status", "--json"], "");
    assert!(done, "{text}");
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    status["seal"]["kind"].as_str().unwrap().to_owned()
}

/// Every file of a root key.
fn root_keys(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let mut keys: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "key")).collect();
    keys.sort();
    keys
}

fn end(server: &mut Server) {
    server.signal(Signal::TERM);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_seal_moves_from_kind_to_kind_while_haechi_serves() {
    let mut server = Server::start(&[]);
    let data = server.data.clone();
    let before = accounts(&data);
    let secret = data.with_extension("secret");
    std::fs::write(&secret, "correct horse battery staple\n").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, private).unwrap();
    let secret = secret.to_str().unwrap().to_owned();

    let (done, text) = operate(&data, &["operator", "rekey"], "");
    assert!(done && text.contains("root.key") && text.contains("root-"), "{text}");
    assert_eq!(root_keys(&data).len(), 2);
    // The old one is for old backups only.
    std::fs::remove_file(data.join("root.key")).unwrap();
    assert_eq!(accounts(&data), before);

    let passphrase = ["operator", "rekey", "--seal", "passphrase", "--new-secret-file", &secret];
    let (done, text) = operate(&data, &passphrase, "");
    assert!(done, "{text}");
    assert_eq!((seal_kind(&data), accounts(&data)), ("passphrase".to_owned(), before.clone()));
    for file in root_keys(&data) {
        std::fs::remove_file(file).unwrap();
    }
    end(&mut server);
    let mut server = Server::on(&data, &["--passphrase-file", &secret]);
    assert_eq!(accounts(&data), before);
    assert!(operate(&data, &["audit", "verify", "--passphrase-file", &secret], "").0);

    let split = ["operator", "rekey", "--seal", "shamir", "--shares", "3", "--threshold", "2"];
    let (done, text) = operate(&data, &split, "kept\n");
    assert!(done, "{text}");
    let shares: Vec<&str> =
        text.lines().map(str::trim).filter(|line| line.starts_with("haechi1-")).collect();
    assert_eq!((shares.len(), seal_kind(&data)), (3, "shamir".to_owned()));
    end(&mut server);
    let two = format!("{}\n{}\n", shares[2], shares[0]);
    assert_eq!(operate(&data, &["account", "list"], &two), (true, before.clone()));
    // Without a server, and back to a file.
    let (done, text) = operate(&data, &["operator", "rekey", "--seal", "file"], &two);
    assert!(done && text.contains("root-"), "{text}");
    let _server = Server::on(&data, &[]);
    assert_eq!((seal_kind(&data), accounts(&data)), ("file".to_owned(), before));
}

#[test]
fn shares_that_nobody_kept_change_nothing() {
    let server = Server::start(&[]);
    let split = ["operator", "rekey", "--seal", "shamir", "--shares", "3", "--threshold", "2"];
    for typed in ["", "no\n"] {
        let (done, text) = operate(&server.data, &split, typed);
        assert!(!done && text.contains("nothing was changed"), "{text}");
        assert_eq!(seal_kind(&server.data), "file");
    }
    let (done, text) = operate(&server.data, &split[..6], "kept\n");
    assert!(!done && text.contains("--threshold"), "{text}");
    let weak = ["operator", "rekey", "--seal", "passphrase"];
    let (done, text) = operate(&server.data, &weak, "short\nshort\n");
    assert!(!done && text.contains("at least 8"), "{text}");
    let (done, text) = operate(&server.data, &weak, "correct horse\ncorrect house\n");
    assert!(!done && text.contains("not the same"), "{text}");
    assert_eq!(root_keys(&server.data), [server.data.join("root.key")]);
}

#[test]
fn a_backup_opens_with_the_root_key_of_its_time() {
    let mut server = Server::start(&[]);
    let data = server.data.clone();
    let known = accounts(&data);
    let backup = |name: &str| {
        let file = data.with_extension(name);
        let mut command = haechi(&["backup", "--data"]);
        assert!(command.arg(&data).arg(&file).output().unwrap().status.success());
        file
    };
    let old = backup("old");
    assert!(operate(&data, &["operator", "rekey"], "").0);
    let new = backup("new");
    end(&mut server);
    let keys = root_keys(&data);
    for (number, (file, own)) in [(&old, "root.key"), (&new, "root-")].into_iter().enumerate() {
        let restored = data.with_extension(format!("restored-{number}"));
        let output = haechi(&["restore", "--data"]).arg(&restored).arg(file).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(own), "{text}");
        let (done, text) = operate(&restored, &["account", "list"], "");
        assert!(!done && text.contains("put the root key back"), "{text}");
        for key in &keys {
            std::fs::copy(key, restored.join(key.file_name().unwrap())).unwrap();
        }
        assert_eq!(operate(&restored, &["account", "list"], ""), (true, known.clone()));
    }
}

/// Changes that are cut off, at ever later moments.
const CUTS: u32 = 16;

#[test]
fn a_change_that_is_killed_anywhere_leaves_a_directory_that_opens() {
    let mut server = Server::start(&[]);
    let data = server.data.clone();
    let known = accounts(&data);
    let begun = Instant::now();
    assert!(operate(&data, &["operator", "rekey"], "").0);
    let whole = begun.elapsed();
    let (mut changed, mut kept) = (0, 0);
    for cut in 0..CUTS {
        let before = std::fs::read(data.join("seal.json")).unwrap();
        let mut rekey: Command = haechi(&["operator", "rekey", "--data"]);
        rekey.arg(&data).stdout(Stdio::null()).stderr(Stdio::null());
        let mut rekey = rekey.spawn().unwrap();
        std::thread::sleep(whole * cut / CUTS + Duration::from_micros(200));
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        rekey.wait().unwrap();
        if std::fs::read(data.join("seal.json")).unwrap() == before {
            kept += 1
        } else {
            changed += 1
        }
        let again = Server::on(&data, &[]);
        assert_eq!(accounts(&data), known, "cut {cut}");
        // The folder is the first server's.
        server.child =
            std::mem::replace(&mut { again }.child, Command::new("true").spawn().unwrap());
    }
    println!("{kept} kept the old root key, {changed} have a new one");
    assert_eq!(kept + changed, CUTS);
}

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

#[test]
fn the_seal_moves_into_a_token_and_out_again() {
    assert!(Path::new(MODULE).exists(), "SoftHSM2 is not installed; run `cargo xtask test`");
    let folder = tempfile::tempdir().unwrap();
    let (tokens, config) = (folder.path().join("tokens"), folder.path().join("softhsm2.conf"));
    std::fs::create_dir(&tokens).unwrap();
    std::fs::write(&config, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "bank", "--so-pin", "8765", "--pin", "4321"])
        .env("SOFTHSM2_CONF", &config)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        let mut command = haechi(arguments);
        command.arg("--data").arg(&data).env("SOFTHSM2_CONF", &config);
        command.env("HAECHI_NEW_SECRET", "4321").env("HAECHI_PKCS11_PIN", "4321");
        let output = command.output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{text}");
        text
    };
    let mut server = Server::on(&data, &[]);
    end(&mut server);
    let known = run(&["account", "list"]);
    run(&[
        "operator",
        "rekey",
        "--seal",
        "pkcs11",
        "--pkcs11-module",
        MODULE,
        "--pkcs11-token",
        "bank",
    ]);
    assert_eq!(seal_kind(&data), "pkcs11");
    assert_eq!(run(&["account", "list"]), known);
    // As before: module, token and key are those of the present seal.
    run(&["operator", "rekey"]);
    assert_eq!(seal_kind(&data), "pkcs11");
    run(&["operator", "rekey", "--seal", "file"]);
    assert_eq!(seal_kind(&data), "file");
    assert_eq!(run(&["account", "list"]), known);
}
