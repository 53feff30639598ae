//! A proxy that asks for the certificates of those who call it.

use super::*;

const CALLER: &str = "cks.kms.us-east-1.amazonaws.com";

/// An authority, and certificates of it, made by openssl.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Authority {
        let authority = Authority { folder: tempfile::tempdir().unwrap() };
        authority.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -subj /CN=authority -days 30 -out ca.pem -keyout ca.key",
        );
        authority
    }

    fn openssl(&self, arguments: &str) {
        let mut command = program("openssl");
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        outcome(&mut command).ok();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A client's certificate and key: lines of a configuration.
    fn client(&self, name: &str) -> String {
        std::fs::write(self.path("extensions"), format!("subjectAltName=DNS:{name}\n")).unwrap();
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} \
             -out {name}.csr -keyout {name}.key"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -days 30 -extfile extensions \
             -out {name}.pem"
        ));
        let (pem, key) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        format!("client_certificate = \"{pem}\"\nclient_private_key = \"{key}\"\n")
    }
}

/// A KMS that reaches the proxy, and shows it what `identity` says.
fn kms(folder: &Path, owner: &Server, identity: &str) -> Server {
    let configuration = folder.join("kms.toml");
    let (ca, port) = (owner.ready().ca_bundle.clone().unwrap(), proxy_port(owner));
    let text = format!(
        "[xks]\nca = \"{ca}\"\ntimeout_ms = 5000\n{identity}\
         [xks.endpoints]\nlocalhost = \"127.0.0.1:{port}\"\n"
    );
    std::fs::write(&configuration, text).unwrap();
    Launch::new().options(&["--config", configuration.to_str().unwrap()]).start()
}

#[test]
fn a_proxy_that_asks_who_calls_serves_those_with_the_certificate_alone() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("haechi.toml");
    let text = format!(
        "[xks]\nlisten = \"127.0.0.1:0\"\nclient_authorities = \"{}\"\n\
         client_names = [\"{CALLER}\"]\n",
        authority.path("ca.pem")
    );
    std::fs::write(&configuration, text).unwrap();
    let owner = Launch::new().options(&["--config", configuration.to_str().unwrap()]).start();
    let key = create_key(&owner, &[]);
    let file = expose(&owner, "partner", &[&key]);
    let exposed: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let wanted = serde_json::json!({
        "CustomKeyStoreName": "partner",
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyUriEndpoint": "https://localhost",
        "XksProxyUriPath": exposed["XksProxyUriPath"],
        "XksProxyAuthenticationCredential": exposed["XksProxyAuthenticationCredential"],
    })
    .to_string();
    let create = ["kms", "create-custom-key-store", "--cli-input-json", &wanted];
    for identity in
        [String::new(), authority.client("somebody.else.example"), stranger.client(CALLER)]
    {
        let server = kms(folder.path(), &owner, &identity);
        server.aws(&create).fails_with("(XksProxy");
    }
    let server = kms(folder.path(), &owner, &authority.client(CALLER));
    let made: Value = serde_json::from_str(&server.aws(&create).ok()).unwrap();
    let store = made["CustomKeyStoreId"].as_str().unwrap();
    server.aws(&["kms", "connect-custom-key-store", "--custom-key-store-id", store]).ok();
    let arguments =
        ["--origin", "EXTERNAL_KEY_STORE", "--custom-key-store-id", store, "--xks-key-id", &key];
    let here = create_key(&server, &arguments);
    let encrypt = ["kms", "encrypt", "--key-id", &here, "--plaintext", "left"];
    let text = ["--query", "CiphertextBlob", "--output", "text"];
    let blob = server.aws(&[&encrypt[..], &text].concat()).ok();
    std::fs::write(authority.path("blob.base64"), blob.trim()).unwrap();
    authority.openssl("base64 -d -A -in blob.base64 -out blob");
    let blob = format!("fileb://{}", authority.path("blob"));
    let decrypt = ["kms", "decrypt", "--ciphertext-blob", &blob, "--query", "Plaintext"];
    assert_eq!(server.aws(&decrypt).ok(), "\"bGVmdA==\"");
}
