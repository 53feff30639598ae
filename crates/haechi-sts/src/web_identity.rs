//! Tokens of OpenID Connect providers: who may vouch, and whether the token is what they signed.
//!
//! ```text
//! token ─► issuer ─► provider in the role's account ─► its keys ─► signature ─► time, audience
//! parse    (unverified)  IAM                           key_sets.rs  haechi-jwt
//! ```
//! The keys come over HTTPS from the address that the provider's discovery document names
//! (https.rs), or from a file where the operator gives one. Only addresses of providers that an
//! account has registered are ever asked, so a stranger cannot send haechi anywhere.

mod https;
mod key_sets;
mod pinned;

use std::sync::Arc;

use haechi_core::{AccountId, Clock, Evidence, OidcProvider};
use haechi_jwt::{Claims, Token};
use haechi_sts_model::Error;
use haechi_sts_model::shapes::Tag;
use serde_json::Value;

pub use https::{Https, HttpsOptions};
pub use key_sets::{Fetch, FetchError, KeySets};

/// Clocks of issuers may be ahead by this much.
const SKEW_SECONDS: i64 = 300;

/// What taking web identities needs besides the providers.
pub struct WebIdentity {
    /// The keys of issuers.
    pub key_sets: Arc<KeySets>,
    /// The machine's clock: issuers sign with real time, even under `--dev`.
    pub wall: Arc<dyn Clock>,
}

/// A token that was verified.
pub(crate) struct Verified {
    pub(crate) provider: OidcProvider,
    pub(crate) claims: Claims,
    /// `sub`.
    pub(crate) subject: String,
    /// The audience that the provider may vouch for.
    pub(crate) audience: String,
    /// Those of the token: `azp` where there is one, as AWS has it.
    pub(crate) audiences: Vec<String>,
}

fn invalid(message: &str) -> Error {
    Error::InvalidIdentityTokenException(message.to_owned())
}

fn required(name: &str) -> Error {
    invalid(&format!("Missing a required claim: {name}"))
}

impl WebIdentity {
    /// Verifies a token that is to open a role of `account`.
    ///
    /// # Errors
    /// In AWS's words: what is wrong with it, or with its provider.
    pub(crate) async fn verify(
        &self,
        evidence: &dyn Evidence,
        account: &AccountId,
        text: &str,
    ) -> Result<Verified, Error> {
        let token = Token::parse(text).map_err(|_| {
            invalid(
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an \
                 Access Token)",
            )
        })?;
        let issuer = token.unverified_issuer().ok_or_else(|| required("iss"))?;
        let provider = match issuer.strip_prefix("https://") {
            Some(_) => evidence.oidc_provider(account, issuer).await?,
            None => None,
        };
        let Some(provider) = provider else {
            let message = format!("No OpenIDConnect provider found in your account for {issuer}");
            return Err(invalid(&message));
        };
        let now = self.wall.now();
        let claims = self.key_sets.verify(&token, issuer, &provider, now).await?;
        check_time(&claims, now.seconds())?;
        let subject = claims.text("sub").ok_or_else(|| required("sub"))?.to_owned();
        let named = if claims.claim("azp").is_some() { "azp" } else { "aud" };
        let audiences = claims.texts(named).ok_or_else(|| required(named))?;
        let counts = |audience: &&String| provider.client_ids.contains(audience);
        let Some(audience) = audiences.iter().find(counts).cloned() else {
            return Err(invalid("Incorrect token audience"));
        };
        Ok(Verified { provider, claims, subject, audience, audiences })
    }
}

/// The claim by which a provider passes session tags ("Passing session tags using
/// AssumeRoleWithWebIdentity").
const TAGS: &str = "https://aws.amazon.com/tags";

/// The claim that sets the source identity of the session.
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";

fn rejected(claim: &str) -> Error {
    Error::IDPRejectedClaimException(format!("The claim {claim} has not the form that it should"))
}

/// The session tags in a token, and the keys of those that are transitive.
///
/// # Errors
/// If the claim has another form.
pub(crate) fn session_tags(claims: &Claims) -> Result<(Vec<Tag>, Vec<String>), Error> {
    let Some(claim) = claims.claim(TAGS) else { return Ok((Vec::new(), Vec::new())) };
    let malformed = || rejected(TAGS);
    let principal_tags = claim.get("principal_tags").and_then(Value::as_object);
    let mut tags = Vec::new();
    for (key, value) in principal_tags.ok_or_else(malformed)? {
        // One value, alone or as the only one of a list.
        let value = match value.as_array().map(Vec::as_slice) {
            Some([only]) => only,
            Some(_) => return Err(malformed()),
            None => value,
        };
        let value = value.as_str().ok_or_else(malformed)?;
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(malformed());
        }
        tags.push(Tag { key: key.clone(), value: value.to_owned() });
    }
    let transitive = match claim.get("transitive_tag_keys") {
        None => Some(Vec::new()),
        Some(keys) => keys.as_array().and_then(|keys| {
            keys.iter().map(|key| key.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        }),
    };
    Ok((tags, transitive.ok_or_else(malformed)?))
}

/// The source identity in a token.
///
/// # Errors
/// If the claim has another form (`sourceIdentityType` of STS).
pub(crate) fn source_identity(claims: &Claims) -> Result<Option<String>, Error> {
    let Some(claim) = claims.claim(SOURCE_IDENTITY) else { return Ok(None) };
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'=' | b'+' | b',' | b'.' | b'@' | b'-')
    };
    let name = claim.as_str().filter(|name| (2..=64).contains(&name.len()));
    match name.filter(|name| name.bytes().all(allowed)) {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(rejected(SOURCE_IDENTITY)),
    }
}

fn check_time(claims: &Claims, now: i64) -> Result<(), Error> {
    let expires = claims.time("exp").ok_or_else(|| required("exp"))?;
    if now >= expires {
        return Err(Error::ExpiredTokenException(format!(
            "Token expired: current date/time {now} must be before the expiration date/time \
             {expires}"
        )));
    }
    let begins = [claims.time("nbf"), claims.time("iat")].into_iter().flatten().max();
    match begins.filter(|begins| *begins > now.saturating_add(SKEW_SECONDS)) {
        None => Ok(()),
        Some(begins) => Err(Error::IDPRejectedClaimException(format!(
            "The token is not valid before {begins}: current date/time {now}"
        ))),
    }
}
