//! Records of passwords, MFA devices, identity providers and the report that tells of them.

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Path, Record};
use haechi_crypto::PasswordHash;
use serde::{Deserialize, Serialize};

use super::{UserReference, account_scope};
use crate::secret::Secret;

pub(crate) fn login_path(account: &AccountId, user_id: &str) -> Path {
    account_scope(account).part("login").part(user_id)
}

pub(crate) fn report_path(account: &AccountId) -> Path {
    Path::new("iam-report").part(account.as_str())
}

pub(crate) fn mfa_used_path(account: &AccountId, rest: &str) -> Path {
    Path::new("iam-mfa-used").part(account.as_str()).hidden(&rest.to_lowercase())
}

/// What an account asks of its users' passwords.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct PasswordPolicyRecord {
    pub(crate) length_min: i32,
    pub(crate) requires_symbols: bool,
    pub(crate) requires_numbers: bool,
    pub(crate) requires_uppercase: bool,
    pub(crate) requires_lowercase: bool,
    /// Whether users may change their own password without a policy that allows it.
    pub(crate) lets_users_change: bool,
    pub(crate) age_days_max: Option<i32>,
    pub(crate) reuse_prevention: Option<i32>,
    pub(crate) hard_expiry: Option<bool>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// The password of a user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LoginRecord {
    pub(crate) created_ms: i64,
    /// When the password was set last.
    pub(crate) changed_ms: i64,
    pub(crate) hash: PasswordHash,
    /// Of the passwords before, the newest first.
    pub(crate) previous: Vec<PasswordHash>,
    pub(crate) is_reset_required: bool,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A credential report.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ReportRecord {
    pub(crate) generated_ms: i64,
    /// CSV, compressed.
    pub(crate) content: Vec<u8>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A virtual MFA device.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MfaRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) created_ms: i64,
    /// In base32.
    pub(crate) seed: Secret,
    /// Whose it is, once it is enabled.
    pub(crate) user: Option<UserReference>,
    pub(crate) enabled_ms: Option<i64>,
    /// How far its clock is ahead, in time steps.
    pub(crate) drift_steps: i64,
    pub(crate) tags: Vec<(String, String)>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Which codes of a device were accepted, and how many were wrong lately.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct MfaUsedRecord {
    /// The time step of the newest code that was accepted.
    pub(crate) step: i64,
    pub(crate) failures: u32,
    pub(crate) failures_since_ms: i64,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// An OpenID Connect provider.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OidcProviderRecord {
    /// Without `https://`.
    pub(crate) url: String,
    pub(crate) client_ids: Vec<String>,
    /// In lower case.
    pub(crate) thumbprints: Vec<String>,
    pub(crate) created_ms: i64,
    pub(crate) tags: Vec<(String, String)>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A SAML provider.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SamlProviderRecord {
    pub(crate) name: String,
    /// `SAMLSP…`.
    pub(crate) id: String,
    /// As it was written.
    pub(crate) metadata: String,
    pub(crate) created_ms: i64,
    pub(crate) tags: Vec<(String, String)>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for LoginRecord {}
impl Record for MfaRecord {}
impl Record for MfaUsedRecord {}
impl Record for OidcProviderRecord {}
impl Record for ReportRecord {}
impl Record for SamlProviderRecord {}

/// The root user where others have their id.
pub(crate) const ROOT_ID: &str = "root";

/// The prefix of what all users of an account have uploaded.
pub(crate) fn all_public_keys_path(account: &AccountId) -> Path {
    account_scope(account).part("public-keys")
}

/// What a user, or the root user ([`ROOT_ID`]), has uploaded of its own keys.
pub(crate) fn public_keys_path(account: &AccountId, owner_id: &str) -> Path {
    all_public_keys_path(account).part(owner_id)
}

/// Public keys and certificates of one owner.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct PublicKeysRecord {
    /// In order of their upload.
    pub(crate) ssh_keys: Vec<UploadRecord>,
    /// X.509 certificates, in order of their upload.
    pub(crate) certificates: Vec<UploadRecord>,
    /// Service-specific credentials, in order of their making.
    #[serde(default)]
    pub(crate) service_credentials: Vec<ServiceCredentialRecord>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A service-specific credential. Its password is not kept: no service here asks for it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServiceCredentialRecord {
    /// `ACCA…`.
    pub(crate) id: String,
    pub(crate) service: String,
    /// The name to sign in with: it stays when the user is renamed.
    pub(crate) user_name: String,
    pub(crate) active: bool,
    pub(crate) created_ms: i64,
}

/// A TLS certificate with its private key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServerCertificateRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `ASCA…`.
    pub(crate) id: String,
    /// In PEM, as the chain and the key.
    pub(crate) body: String,
    pub(crate) chain: Option<String>,
    pub(crate) private_key: Secret,
    pub(crate) uploaded_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) tags: Vec<(String, String)>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

pub(crate) fn server_certificates_path(account: &AccountId) -> Path {
    account_scope(account).part("server-certificate")
}

pub(crate) fn server_certificate_path(account: &AccountId, name: &str) -> Path {
    server_certificates_path(account).hidden(&name.to_lowercase())
}

/// One key or certificate.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    pub(crate) id: String,
    /// As it was uploaded.
    pub(crate) body: String,
    pub(crate) active: bool,
    pub(crate) uploaded_ms: i64,
}

impl Record for PublicKeysRecord {}
impl Record for ServerCertificateRecord {}
