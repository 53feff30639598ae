//! The local certificate authority and the server's certificate.
//!
//! The CA's key and the server's lie among the records, sealed; only the CA's certificate is a
//! file (`ca.pem`), because clients need it.

use std::net::IpAddr;
use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Database, Path, Record};
use haechi_wire::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SubjectPublicKeyInfo,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Failure;

/// Validity of the CA: ten years.
const CA_DAYS: i64 = 3650;

/// Validity of the server's certificate; what browsers accept at the most.
const SERVER_DAYS: i64 = 397;

/// A server certificate with less than this left is replaced at the next start.
const RENEW_DAYS: i64 = 60;

const DAY_SECONDS: i64 = 24 * 3600;

/// The CA and the server's certificate as they are stored.
#[derive(Clone, Serialize, Deserialize)]
struct TlsRecord {
    ca_pem: String,
    ca_key_pem: Zeroizing<String>,
    server_pem: String,
    server_key_pem: Zeroizing<String>,
    names: Vec<String>,
    server_until_ms: i64,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record for TlsRecord {}

/// What the listener needs, and what clients need.
pub struct Tls {
    /// For the listener.
    pub config: Arc<rustls::ServerConfig>,
    /// The CA's certificate, PEM.
    pub ca_pem: String,
}

/// Names that every server certificate holds.
fn names(further: &[String], listen: IpAddr) -> Vec<String> {
    let mut names: Vec<String> =
        ["localhost", "*.localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    if !listen.is_unspecified() {
        names.push(listen.to_string());
    }
    names.extend(further.iter().cloned());
    names.sort();
    names.dedup();
    names
}

/// The installation's CA and a server certificate for these names; both are made when first needed.
///
/// # Errors
/// If the store fails, or a name is not valid.
pub async fn load_or_create(
    database: &Database,
    further: &[String],
    listen: IpAddr,
    now: Timestamp,
) -> Result<Tls, Failure> {
    let names = names(further, listen);
    let path = Path::new("haechi").part("tls");
    let stored = database.load::<TlsRecord>(&path).await?;
    let fresh = |record: &TlsRecord| {
        record.names == names
            && record.server_until_ms - now.millis() > RENEW_DAYS * DAY_SECONDS * 1000
    };
    let record = match stored {
        Some(stored) if fresh(&stored.value) => stored.value,
        stored => {
            let old = stored.map(|stored| stored.value);
            let record = issue(old, names, now)?;
            let mut batch = Batch::new();
            batch.put(path, &record);
            database.commit(batch).await?;
            record
        }
    };
    let config = server_config(&record.server_pem, &record.server_key_pem)?;
    Ok(Tls { config: Arc::new(config), ca_pem: record.ca_pem })
}

/// A certificate of the CA's, PEM, for a key that signs (`SubjectPublicKeyInfo`, DER). The CA is
/// made if it is not there yet.
///
/// # Errors
/// If the store fails, or the key is none.
pub async fn certify(
    database: &Database,
    public_key: &[u8],
    common_name: &str,
    now: Timestamp,
) -> Result<String, Failure> {
    let path = Path::new("haechi").part("tls");
    if database.load::<TlsRecord>(&path).await?.is_none() {
        load_or_create(database, &[], std::net::Ipv4Addr::LOCALHOST.into(), now).await?;
    }
    let stored = database.load::<TlsRecord>(&path).await?.ok_or("there is no local CA")?.value;
    let issuer = Issuer::from_ca_cert_pem(&stored.ca_pem, KeyPair::from_pem(&stored.ca_key_pem)?)?;
    let key = SubjectPublicKeyInfo::from_der(public_key)?;
    let mut parameters = CertificateParams::new(vec![common_name.to_owned()])?;
    parameters.distinguished_name = name(common_name);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.use_authority_key_identifier_extension = true;
    validity(&mut parameters, now, CA_DAYS)?;
    Ok(parameters.signed_by(&key, &issuer)?.pem())
}

/// For a server that cannot read its certificate yet: a self-signed one that nobody trusts, for as
/// long as the process lives.
///
/// # Errors
/// If a key cannot be made.
pub fn momentary(now: Timestamp) -> Result<rustls::ServerConfig, Failure> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(names(&[], std::net::Ipv4Addr::LOCALHOST.into()))?;
    parameters.distinguished_name = name("haechi is sealed");
    validity(&mut parameters, now, SERVER_DAYS)?;
    let pem = parameters.self_signed(&key)?.pem();
    server_config(&pem, &Zeroizing::new(key.serialize_pem()))
}

fn issue(old: Option<TlsRecord>, names: Vec<String>, now: Timestamp) -> Result<TlsRecord, Failure> {
    let (ca_pem, ca_key) = match &old {
        Some(old) => (old.ca_pem.clone(), KeyPair::from_pem(&old.ca_key_pem)?),
        None => {
            let key = KeyPair::generate()?;
            (ca_parameters(now)?.self_signed(&key)?.pem(), key)
        }
    };
    let ca_key_pem = Zeroizing::new(ca_key.serialize_pem());
    let issuer = Issuer::from_ca_cert_pem(&ca_pem, ca_key)?;
    let server_key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(names.clone())?;
    parameters.distinguished_name = name("haechi");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.use_authority_key_identifier_extension = true;
    let until = validity(&mut parameters, now, SERVER_DAYS)?;
    let server_pem = parameters.signed_by(&server_key, &issuer)?.pem();
    Ok(TlsRecord {
        ca_pem,
        ca_key_pem,
        server_pem,
        server_key_pem: Zeroizing::new(server_key.serialize_pem()),
        names,
        server_until_ms: until.millis(),
        unknown: old.map(|old| old.unknown).unwrap_or_default(),
    })
}

fn ca_parameters(now: Timestamp) -> Result<CertificateParams, Failure> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name = name("haechi local CA");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut parameters, now, CA_DAYS)?;
    Ok(parameters)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// From yesterday, so that a client whose clock is behind accepts it at once.
fn validity(
    parameters: &mut CertificateParams,
    now: Timestamp,
    days: i64,
) -> Result<Timestamp, Failure> {
    let until = now.plus_seconds(days * DAY_SECONDS);
    let date = |time: Timestamp| -> Result<_, Failure> {
        let date =
            jiff::Timestamp::from_second(time.seconds())?.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (month, day) = (u8::try_from(date.month())?, u8::try_from(date.day())?);
        Ok(rcgen::date_time_ymd(i32::from(date.year()), month, day))
    };
    parameters.not_before = date(now.plus_seconds(-DAY_SECONDS))?;
    parameters.not_after = date(until)?;
    Ok(until)
}

fn server_config(pem: &str, key_pem: &str) -> Result<rustls::ServerConfig, Failure> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes())?;
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
