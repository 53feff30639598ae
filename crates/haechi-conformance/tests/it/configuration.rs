//! What the configuration file says of quotas and identity providers counts, or stops the start.

use std::path::Path;

use haechi_conformance::{Launch, Refusal};

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("haechi.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), text);
    let options = ["--config", &config, "--request-quotas", "true"];
    let Refusal { output, .. } = Launch::new().options(&options).refusal();
    output
}

#[test]
fn a_quota_of_the_operator_binds_where_it_is_for_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(
        folder.path(),
        "[[request_quota]]\nservice = \"kms\"\noperations = [\"ListKeys\"]\n\
         region = \"eu-west-1\"\nper_second = 0.001\n",
    );
    let options = ["--config", &config, "--request-quotas", "true"];
    let server = Launch::new().options(&options).start();
    let list = |region: &str| server.aws(&["kms", "list-keys", "--region", region]);
    list("eu-west-1").ok();
    list("eu-west-1").fails_with("ThrottlingException");
    list("eu-west-3").ok();
    list("eu-west-3").ok();
}

#[test]
fn quotas_of_what_there_is_not_stop_the_start() {
    let quota = |service: &str, operation: &str, rate: &str| {
        refused(&format!(
            "[[request_quota]]\nservice = \"{service}\"\noperations = [\"{operation}\"]\n\
             per_second = {rate}\n"
        ))
    };
    assert!(quota("kmss", "Encrypt", "1").contains("there is no service `kmss`"));
    assert!(quota("kms", "Encrypted", "1").contains("kms has no operation `Encrypted`"));
    assert!(quota("kms", "Encrypt", "0").contains("0 requests per second are no rate"));
}

#[test]
fn a_key_set_or_authority_that_is_none_stops_the_start_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let set = |issuer: &str, text: &str| {
        std::fs::write(&file, text).unwrap();
        let file = file.display();
        refused(&format!("[[web_identity.key_sets]]\nissuer = \"{issuer}\"\nfile = \"{file}\"\n"))
    };
    let told = set("https://idp.example", "{}");
    assert!(told.contains("keys.json of https://idp.example is wrong"), "{told}");
    let told = set("https://idp.example", r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#);
    assert!(told.contains("no key that verifies signatures"), "{told}");
    let told = set("http://idp.example", r#"{"keys":[]}"#);
    assert!(told.contains("an issuer begins with https://"), "{told}");
    let bundle = file.display();
    let told = refused(&format!("[web_identity]\nca_bundle = \"{bundle}\"\n"));
    assert!(told.contains("web_identity.ca_bundle"), "{told}");
}
