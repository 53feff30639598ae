//! A CA of the test's own, a certificate for the servers and one for a client.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

/// Where the files are, all PEM.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The CA that both sides trust.
    pub ca: PathBuf,
    /// The servers' certificate, for every member's address.
    pub server: PathBuf,
    /// Its key.
    pub server_key: PathBuf,
    /// The client's certificate; its common name is `haechi`.
    pub client: PathBuf,
    /// Its key.
    pub client_key: PathBuf,
}

impl Certificates {
    /// Makes the files in `folder` for servers at `hosts`.
    pub fn new(folder: &Path, hosts: &[String]) -> Certificates {
        let file = |name: &str| folder.join(name);
        let files = Certificates {
            ca: file("ca.pem"),
            server: file("server.pem"),
            server_key: file("server-key.pem"),
            client: file("client.pem"),
            client_key: file("client-key.pem"),
        };
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap();
        std::fs::write(&files.ca, ca.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        let mut names = hosts.to_vec();
        names.push("localhost".into());
        issue(&issuer, names, "etcd", (&files.server, &files.server_key));
        issue(&issuer, Vec::new(), "haechi", (&files.client, &files.client_key));
        files
    }
}

fn issue(issuer: &Issuer<'_, KeyPair>, names: Vec<String>, name: &str, to: (&Path, &Path)) {
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    // Members are clients of each other.
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    std::fs::write(to.0, certificate.pem()).unwrap();
    std::fs::write(to.1, key.serialize_pem()).unwrap();
}
