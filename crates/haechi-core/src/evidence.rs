//! What a caller brings to STS besides a signature, and who can judge it: codes of MFA devices, and
//! tokens of identity providers. IAM implements [`Evidence`], STS asks.

use async_trait::async_trait;
use haechi_wire::{Fault, Timestamp};

use crate::AccountId;

/// Why a one-time code does not count.
#[derive(Debug, thiserror::Error)]
pub enum MfaError {
    /// The user has no device with this serial number.
    #[error("no MFA device with this serial number is enabled for the user")]
    UnknownDevice,
    /// The code is wrong, used already, out of its time, or too many were wrong lately.
    #[error("the one-time code is not valid for the MFA device")]
    InvalidCode,
    /// The store failed, or something changed meanwhile ([`Fault::Conflict`]: ask again).
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An OpenID Connect provider that an account trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcProvider {
    /// `arn:aws:iam::123456789012:oidc-provider/…`.
    pub arn: String,
    /// Its URL as it was given, without `https://`: what stands before `:sub` in condition keys.
    pub url: String,
    /// Client ids that it may name as audience.
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates of its host, 40 hexadecimal digits in lower case; may be empty.
    pub thumbprints: Vec<String>,
}

/// A SAML 2.0 provider that an account trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamlProvider {
    /// `arn:aws:iam::123456789012:saml-provider/…`.
    pub arn: String,
    /// Its name, the last part of the ARN.
    pub name: String,
    /// The entity id in its metadata: the issuer of its assertions.
    pub entity_id: String,
    /// The certificates (DER) that its assertions may be signed with.
    pub signing_certificates: Vec<Vec<u8>>,
    /// When its metadata end to count, if they say so.
    pub valid_until: Option<Timestamp>,
}

/// Judges codes and knows the providers of accounts.
#[async_trait]
pub trait Evidence: Send + Sync + 'static {
    /// Checks a code of the MFA device that is enabled for a user, and uses it up: no code is
    /// accepted twice. `user_id` is the unique id (`AIDA…`).
    ///
    /// # Errors
    /// [`MfaError`]; its fault is to be passed on, so that the call is handled anew on a conflict.
    async fn verify_mfa(
        &self,
        account: &AccountId,
        user_id: &str,
        serial_number: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<(), MfaError>;

    /// The OpenID Connect provider of an account with this URL, with or without `https://`.
    ///
    /// # Errors
    /// If the store fails.
    async fn oidc_provider(
        &self,
        account: &AccountId,
        url: &str,
    ) -> Result<Option<OidcProvider>, Fault>;

    /// The SAML provider with this ARN, if the account has it.
    ///
    /// # Errors
    /// If the store fails.
    async fn saml_provider(
        &self,
        account: &AccountId,
        arn: &str,
    ) -> Result<Option<SamlProvider>, Fault>;
}
