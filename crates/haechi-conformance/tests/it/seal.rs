//! The seals of the root key: a passphrase and a PKCS#11 token (SoftHSM2), beside the default file.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use haechi_conformance::{Launch, Server, fingerprint, outcome, places_of, program};

const PASSPHRASE: &str = "correct horse battery staple";
const PIN: &str = "271828";
const TOKEN: &str = "haechi-test";
const MODULES: [&str; 2] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];

fn make_key(server: &Server) -> String {
    let query = ["--query", "KeyMetadata.KeyId", "--output", "text"];
    server.aws(&[&["kms", "create-key"], &query[..]].concat()).ok()
}

fn finds_key(server: &Server, key_id: &str) {
    server.aws(&["kms", "describe-key", "--key-id", key_id]).ok();
}

fn passphrase(passphrase: &str) -> Launch {
    Launch::new().options(&["--seal", "passphrase"]).variable("HAECHI_PASSPHRASE", passphrase)
}

#[test]
fn a_passphrase_opens_what_it_sealed() {
    let mut server = passphrase(PASSPHRASE).start();
    let key_id = make_key(&server);
    server.kill9();
    server.restart();
    finds_key(&server, &key_id);
    assert!(places_of(PASSPHRASE.as_bytes(), server.data()).is_empty());
    assert!(!server.output().contains(PASSPHRASE));
}

#[test]
fn a_passphrase_can_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passphrase");
    std::fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    let named = file.to_str().unwrap();
    let from_file = || Launch::new().options(&["--seal", "passphrase", "--passphrase-file", named]);
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let refusal = from_file().refusal();
    assert!(refusal.output.contains("chmod 600"), "{}", refusal.output);
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let mut server = from_file().start();
    let key_id = make_key(&server);
    server.kill9();
    // The same words by the other way.
    let again = passphrase(PASSPHRASE).data(server.data()).start();
    finds_key(&again, &key_id);
}

#[test]
fn a_wrong_passphrase_is_refused_and_touches_nothing() {
    let mut server = passphrase(PASSPHRASE).start();
    assert_eq!(server.terminate(), Some(0));
    let before = fingerprint(server.data());
    let refusal = passphrase("correct horse battery stable").data(server.data()).refusal();
    assert!(refusal.output.contains("passphrase"), "{}", refusal.output);
    let missing = Launch::new().options(&["--seal", "passphrase"]).data(server.data()).refusal();
    assert!(missing.output.contains("HAECHI_PASSPHRASE"), "{}", missing.output);
    assert!(fingerprint(server.data()) == before, "a refusal changed the data directory");
}

/// A new SoftHSM2 token in `folder`; answers the configuration file for `SOFTHSM2_CONF`.
fn new_token(folder: &Path) -> String {
    let tokens = folder.join("tokens");
    std::fs::create_dir_all(&tokens).unwrap();
    let configuration = folder.join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
    std::fs::write(&configuration, text).unwrap();
    let configuration = configuration.to_str().unwrap().to_owned();
    let mut command = program("softhsm2-util");
    command.args(["--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "314159"]);
    outcome(command.env("SOFTHSM2_CONF", &configuration)).ok();
    configuration
}

fn pkcs11(configuration: &str, pin: &str) -> Launch {
    let module = MODULES.into_iter().find(|path| Path::new(path).exists()).expect("softhsm2");
    let seal = ["--seal", "pkcs11", "--pkcs11-module", module, "--pkcs11-token", TOKEN];
    Launch::new()
        .options(&seal)
        .variable("HAECHI_PKCS11_PIN", pin)
        .variable("SOFTHSM2_CONF", configuration)
}

#[test]
fn a_token_opens_what_it_sealed_and_no_other_token_does() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = new_token(folder.path());
    let mut server = pkcs11(&configuration, PIN).start();
    let key_id = make_key(&server);
    assert_eq!(server.terminate(), Some(0));
    server.restart();
    finds_key(&server, &key_id);
    assert_eq!(server.terminate(), Some(0));

    let before = fingerprint(server.data());
    let wrong_pin = pkcs11(&configuration, "000000").data(server.data()).refusal();
    assert!(wrong_pin.output.contains("PIN"), "{}", wrong_pin.output);
    let other = tempfile::tempdir().unwrap();
    let other_token = new_token(other.path());
    pkcs11(&other_token, PIN).data(server.data()).refusal();
    assert!(fingerprint(server.data()) == before, "a refusal changed the data directory");
    assert!(places_of(PIN.as_bytes(), server.data()).is_empty());
}

#[test]
fn the_default_seal_says_that_a_file_is_a_weak_one() {
    let server = Launch::new().start();
    let told = server.output();
    assert!(told.contains("root.key") && told.contains("--seal passphrase"), "{told}");
}
