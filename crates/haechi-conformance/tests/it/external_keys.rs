//! External keys, both ways: haechi as the XKS proxy of another KMS, KMS with keys behind a proxy,
//! KMS with keys in a token.

mod mutual;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use haechi_conformance::{Launch, Server, outcome, program, python};
use serde_json::Value;

const MODULES: [&str; 2] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
const PIN: &str = "482913-kmsuser";

/// A server with the proxy open.
fn proxy_server() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("haechi.toml");
    std::fs::write(&configuration, "[xks]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let server = Launch::new().options(&["--config", configuration.to_str().unwrap()]).start();
    (folder, server)
}

/// The port of a server's proxy.
fn proxy_port(server: &Server) -> u16 {
    let ready: Value =
        serde_json::from_slice(&std::fs::read(server.ready_file()).unwrap()).unwrap();
    let address = ready["xks_address"].as_str().expect("an address of the proxy");
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

fn create_key(server: &Server, arguments: &[&str]) -> String {
    let all = [&["kms", "create-key"], arguments].concat();
    let made: Value = serde_json::from_str(&server.aws(&all).ok()).unwrap();
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

/// Lets another KMS use keys under `prefix`; answers the file with the credential.
fn expose(server: &Server, prefix: &str, keys: &[&str]) -> String {
    let file = server.scratch().join(format!("{}.json", prefix.replace('/', "-")));
    let file = file.to_str().unwrap().to_owned();
    let mut rest = vec![prefix, "--file", &file];
    for key in keys {
        rest.extend(["--key", key]);
    }
    server.operator(&["xks", "create"], &rest).ok();
    file
}

#[test]
fn the_cases_of_awss_proxy_test_client_pass() {
    let (_folder, server) = proxy_server();
    let prefix = "example/uri/path/prefix";
    let [key, encrypt, decrypt, disabled] = [(); 4].map(|()| create_key(&server, &[]));
    let hmac = ["--key-spec", "HMAC_256", "--key-usage", "GENERATE_VERIFY_MAC"];
    let impotent = create_key(&server, &hmac);
    server.aws(&["kms", "disable-key", "--key-id", &disabled]).ok();
    let (only_encrypt, only_decrypt) = (format!("{encrypt}:encrypt"), format!("{decrypt}:decrypt"));
    let credential =
        expose(&server, prefix, &[&key, &only_encrypt, &only_decrypt, &impotent, &disabled]);
    let mut python = server.client(python());
    python
        .env("XKS_HOST", format!("localhost:{}", proxy_port(&server)))
        .env("XKS_PREFIX", prefix)
        .env("XKS_CREDENTIAL", credential)
        .env("XKS_KEY", key)
        .env("XKS_KEY_ENCRYPT", encrypt)
        .env("XKS_KEY_DECRYPT", decrypt)
        .env("XKS_KEY_DISABLED", disabled)
        .env("XKS_KEY_IMPOTENT", impotent);
    server.run_script_with(python, "xks_proxy.py");

    // A credential is exchanged while haechi serves; keys that nobody named stay unknown.
    let listed = server.operator(&["xks", "list"], &[]).ok();
    let old = listed.split_whitespace().last().unwrap().to_owned();
    let for_machines = server.operator(&["xks", "list", "--json"], &[]).ok();
    let lines: serde_json::Value = serde_json::from_str(&for_machines).unwrap();
    assert_eq!(lines[0]["access_key_ids"], serde_json::json!([old]));
    let file = server.scratch().join("new.json");
    let rest = [prefix, "--file", file.to_str().unwrap()];
    server.operator(&["xks", "credential", "create"], &rest).ok();
    server.operator(&["xks", "credential", "delete"], &[prefix, &old]).ok();
    let again = server.operator(&["xks", "credential", "delete"], &[prefix, &old]);
    again.fails_with("has no credential");
    server.operator(&["xks", "create"], &[prefix, "--all-keys"]).fails_with("is there already");
    server.operator(&["xks", "delete"], &[prefix]).ok();
    assert_eq!(server.operator(&["xks", "list"], &[]).ok(), "");
}

#[test]
fn kms_keys_whose_external_keys_lie_in_another_haechi() {
    let (folder, owner) = proxy_server();
    let (key, second) = (create_key(&owner, &[]), create_key(&owner, &[]));
    let credential = expose(&owner, "partner", &[&key, &format!("{second}:encrypt")]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (proxy, slow) = (proxy_port(&owner), silent.local_addr().unwrap());
    let ca = owner.ready().ca_bundle.clone().unwrap();
    let configuration = folder.path().join("kms.toml");
    let text = format!(
        "[xks]\nca = \"{ca}\"\ntimeout_ms = 5000\n[xks.endpoints]\n\
         localhost = \"127.0.0.1:{proxy}\"\n\"other-name.example.com\" = \"127.0.0.1:{proxy}\"\n\
         \"down.example.com\" = \"{closed}\"\n\"slow.example.com\" = \"{slow}\"\n"
    );
    std::fs::write(&configuration, text).unwrap();
    let server = Launch::new().options(&["--config", configuration.to_str().unwrap()]).start();
    let ready = owner.ready();
    let mut python = server.client(python());
    python
        .env("XKS_CREDENTIAL", credential)
        .env("XKS_KEY", key)
        .env("XKS_SECOND_KEY", second)
        .env("XKS_OWNER_ENDPOINT", &ready.endpoint)
        .env("XKS_OWNER_CA", ca)
        .env("XKS_OWNER_ACCESS_KEY_ID", &ready.access_key_id)
        .env("XKS_OWNER_SECRET_ACCESS_KEY", &ready.secret_access_key);
    server.run_script_with(python, "external_key_store.py");
}

/// A new SoftHSM2 token; answers its configuration file.
fn new_token(folder: &Path) -> String {
    let tokens = folder.join("tokens");
    std::fs::create_dir_all(&tokens).unwrap();
    let configuration = folder.join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
    std::fs::write(&configuration, text).unwrap();
    let configuration = configuration.to_str().unwrap().to_owned();
    let mut command = program("softhsm2-util");
    command.args([
        "--init-token",
        "--free",
        "--label",
        "partner",
        "--pin",
        PIN,
        "--so-pin",
        "3141",
    ]);
    outcome(command.env("SOFTHSM2_CONF", &configuration)).ok();
    configuration
}

fn openssl_certificate(folder: &Path) -> String {
    let (certificate, key) = (folder.join("customerCA.crt"), folder.join("customerCA.key"));
    let mut command: Command = program("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]);
    command.args(["-subj", "/CN=customer", "-days", "30", "-out"]).arg(&certificate);
    outcome(command.arg("-keyout").arg(key)).ok();
    certificate.to_str().unwrap().to_owned()
}

#[test]
fn kms_keys_in_a_token_stay_there_and_serve_again_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let softhsm = new_token(folder.path());
    let anchor = openssl_certificate(folder.path());
    let module = MODULES.into_iter().find(|path| Path::new(path).exists()).expect("softhsm2");
    let configuration = folder.path().join("haechi.toml");
    let text = format!(
        "[cloudhsm.cluster-2a23b4cdefg]\nmodule = \"{module}\"\ntoken = \"partner\"\n\
         trust_anchor = \"{anchor}\"\n\
         [cloudhsm.cluster-33333333333]\nmodule = \"{module}\"\ntoken = \"nowhere\"\n"
    );
    std::fs::write(&configuration, text).unwrap();
    let mut server = Launch::new()
        .options(&["--config", configuration.to_str().unwrap()])
        .variable("SOFTHSM2_CONF", &softhsm)
        .start();
    let left = folder.path().join("left");
    let mut python = server.client(python());
    python.env("HSM_PIN", PIN).env("HSM_TRUST_ANCHOR", anchor).env("HSM_LEFT", &left);
    server.run_script_with(python, "cloudhsm_key_store.py");

    // After a crash the server logs in by itself.
    server.kill9();
    server.restart();
    let left = std::fs::read(&left).unwrap();
    let line = left.iter().position(|byte| *byte == b'\n').unwrap();
    let blob = server.scratch().join("blob");
    std::fs::write(&blob, &left[line + 1..]).unwrap();
    let blob = format!("fileb://{}", blob.display());
    let decrypt = ["kms", "decrypt", "--ciphertext-blob", &blob, "--query", "Plaintext"];
    assert_eq!(server.aws(&decrypt).ok(), "\"bGVmdA==\"");

    // The token is taken away: its keys are not usable, and a connection fails with its code.
    server.kill9();
    let (tokens, away) = (folder.path().join("tokens"), folder.path().join("away"));
    std::fs::rename(&tokens, &away).unwrap();
    std::fs::create_dir(&tokens).unwrap();
    server.restart();
    server.aws(&decrypt).fails_with("KMSInvalidStateException");
    let stores: Value =
        serde_json::from_str(&server.aws(&["kms", "describe-custom-key-stores"]).ok()).unwrap();
    let store = stores["CustomKeyStores"][0]["CustomKeyStoreId"].as_str().unwrap();
    for operation in ["disconnect-custom-key-store", "connect-custom-key-store"] {
        server.aws(&["kms", operation, "--custom-key-store-id", store]).ok();
    }
    let state = server.aws(&["kms", "describe-custom-key-stores"]).ok();
    assert!(state.contains("INSUFFICIENT_CLOUDHSM_HSMS"), "{state}");
}
