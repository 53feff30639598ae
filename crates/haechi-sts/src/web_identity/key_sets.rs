//! The keys of issuers, kept for a while.
//!
//! * A token of a key that is known waits for nobody.
//! * A key id that is not known makes haechi ask anew, but not more often than each half minute:
//!   anybody can invent key ids.
//! * What failed is not tried again for some seconds, and keys that cannot be renewed count on for
//!   an hour, so that a provider may be down for a moment.
//! * What was fetched belongs to the provider's thumbprints too: an account that trusts another
//!   certificate cannot put keys into the hands of others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use haechi_core::OidcProvider;
use haechi_jwt::{Claims, KEY_SET_BYTES_MAX, KeySet, Token, VerifyError};
use haechi_sts_model::Error;
use haechi_wire::Timestamp;

/// Keys count as new for this long.
const FRESH_MS: i64 = 15 * 60_000;
/// Keys that cannot be renewed count for this long.
const STALE_MS: i64 = 60 * 60_000;
/// The provider is not asked again before, for a key that is not in its set.
const UNKNOWN_KEY_MS: i64 = 30_000;
/// The provider is not asked again before, after it could not be reached.
const FAILED_MS: i64 = 10_000;
/// Providers whose keys are kept, at most.
const PROVIDERS_MAX: usize = 10_000;
/// A discovery document is at most this long.
const DISCOVERY_BYTES_MAX: usize = 64 * 1024;

/// Why a document of a provider could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It cannot be reached, or does not answer in time: later it may.
    #[error("the identity provider cannot be reached: {0}")]
    Unreachable(String),
    /// Neither a known authority nor a thumbprint speaks for its certificate.
    #[error("the certificate of the identity provider is signed by no authority that is trusted")]
    Untrusted,
    /// It answers, but not what it should.
    #[error("the identity provider does not answer as it should: {0}")]
    Unusable(String),
}

/// Gets documents of providers; [`crate::Https`], and something else in tests.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// The document at `url` (`https://…`), of at most `bytes_max`. Certificates with these
    /// thumbprints count as authorities too.
    ///
    /// # Errors
    /// If it cannot be had.
    async fn get(
        &self,
        url: &str,
        thumbprints: &[String],
        bytes_max: usize,
    ) -> Result<Vec<u8>, FetchError>;
}

/// What is known of one provider.
#[derive(Default)]
struct Known {
    keys: Option<(Arc<KeySet>, i64)>,
    tried_ms: Option<i64>,
    failure: Option<FetchError>,
}

/// What is to be done with a token.
enum Standing {
    /// These keys decide.
    Count(Arc<KeySet>),
    /// The provider is not asked: a moment ago it failed.
    Failed(FetchError),
    /// The provider is to be asked.
    Ask,
}

#[derive(Default)]
struct Slot {
    known: Mutex<Known>,
    /// Held by the one who asks the provider.
    asking: tokio::sync::Mutex<()>,
}

/// URL and thumbprints of a provider.
type SlotKey = (String, Vec<String>);

/// The keys of all issuers.
pub struct KeySets {
    fetch: Arc<dyn Fetch>,
    given: HashMap<String, Arc<KeySet>>,
    slots: Mutex<HashMap<SlotKey, Arc<Slot>>>,
}

impl KeySets {
    /// Keys that are fetched; those of issuers in `given` (`https://…`) are not.
    pub fn new(fetch: Arc<dyn Fetch>, given: HashMap<String, KeySet>) -> KeySets {
        let given = given.into_iter().map(|(issuer, keys)| (issuer, Arc::new(keys))).collect();
        KeySets { fetch, given, slots: Mutex::default() }
    }

    /// The claims of a token, if its issuer has signed them.
    pub(crate) async fn verify(
        &self,
        token: &Token<'_>,
        issuer: &str,
        provider: &OidcProvider,
        now: Timestamp,
    ) -> Result<Claims, Error> {
        let verify = |keys: &KeySet| token.verify(keys).cloned().map_err(refused);
        if let Some(keys) = self.given.get(issuer) {
            return verify(keys);
        }
        let (slot, now_ms) = (self.slot(provider), now.millis());
        let decided = || match slot.standing(now_ms, token) {
            Standing::Count(keys) => Some(verify(&keys)),
            Standing::Failed(error) => Some(Err(unfetched(&error, issuer))),
            Standing::Ask => None,
        };
        if let Some(decided) = decided() {
            return decided;
        }
        let _asking = slot.asking.lock().await;
        // Someone else may have asked meanwhile.
        if let Some(decided) = decided() {
            return decided;
        }
        let fetched = self.fetch(issuer, provider).await;
        match slot.learn(now_ms, fetched) {
            Ok(keys) => verify(&keys),
            Err(error) => Err(unfetched(&error, issuer)),
        }
    }

    /// Forgets what was fetched (`--dev` reset).
    pub fn forget(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn slot(&self, provider: &OidcProvider) -> Arc<Slot> {
        let mut thumbprints = provider.thumbprints.clone();
        thumbprints.sort_unstable();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= PROVIDERS_MAX {
            slots.clear();
        }
        Arc::clone(slots.entry((provider.url.clone(), thumbprints)).or_default())
    }

    /// Discovery (OpenID Connect Discovery §4), then the keys.
    async fn fetch(&self, issuer: &str, provider: &OidcProvider) -> Result<KeySet, FetchError> {
        let unusable = |what: &str| FetchError::Unusable(what.to_owned());
        let address = issuer.trim_end_matches('/');
        let address = format!("{address}/.well-known/openid-configuration");
        let document = self.fetch.get(&address, &provider.thumbprints, DISCOVERY_BYTES_MAX).await?;
        let document: serde_json::Value = serde_json::from_slice(&document)
            .map_err(|_| unusable("its discovery document is not JSON"))?;
        let member = |name: &str| document.get(name).and_then(serde_json::Value::as_str);
        if member("issuer") != Some(issuer) {
            return Err(unusable("its discovery document names another issuer"));
        }
        let address = member("jwks_uri")
            .ok_or_else(|| unusable("its discovery document names no jwks_uri"))?;
        let keys = self.fetch.get(address, &provider.thumbprints, KEY_SET_BYTES_MAX).await?;
        let keys = KeySet::parse(&keys).map_err(|error| unusable(&error.to_string()))?;
        if keys.is_empty() {
            Err(unusable("it publishes no keys for signatures"))
        } else {
            Ok(keys)
        }
    }
}

impl Slot {
    /// What is to be done with a token.
    fn standing(&self, now_ms: i64, token: &Token<'_>) -> Standing {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let since_tried = known.tried_ms.map_or(i64::MAX, |tried| now_ms.saturating_sub(tried));
        // What failed a moment ago would fail again.
        let failed = known.failure.as_ref().filter(|_| since_tried < FAILED_MS);
        let failed = failed.map(|error| Standing::Failed(error.clone()));
        let Some((keys, fetched_ms)) = &known.keys else { return failed.unwrap_or(Standing::Ask) };
        let count = Standing::Count(Arc::clone(keys));
        let age_ms = now_ms.saturating_sub(*fetched_ms);
        let is_known = token.verify(keys) != Err(VerifyError::UnknownKey);
        match failed {
            _ if is_known && age_ms < FRESH_MS => count,
            Some(_) if age_ms < STALE_MS => count,
            Some(failed) => failed,
            None if !is_known && since_tried < UNKNOWN_KEY_MS => count,
            None => Standing::Ask,
        }
    }

    /// Notes what asking has brought, and answers the keys that count now.
    fn learn(
        &self,
        now_ms: i64,
        fetched: Result<KeySet, FetchError>,
    ) -> Result<Arc<KeySet>, FetchError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tried_ms = Some(now_ms);
        match fetched {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((Arc::clone(&keys), now_ms));
                known.failure = None;
                Ok(keys)
            }
            Err(error) => {
                known.failure = Some(error.clone());
                let young = |at: i64| now_ms.saturating_sub(at) < STALE_MS;
                let kept = known.keys.as_ref().filter(|(_, at)| young(*at));
                kept.map(|(keys, _)| Arc::clone(keys)).ok_or(error)
            }
        }
    }
}

const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please \
    reference AssumeRoleWithWebIdentity documentation for requirements";

fn refused(error: VerifyError) -> Error {
    Error::InvalidIdentityTokenException(match error {
        VerifyError::UnknownKey => NO_KEY.to_owned(),
        VerifyError::InvalidSignature => "The signature of the token is not valid".to_owned(),
    })
}

fn unfetched(error: &FetchError, issuer: &str) -> Error {
    tracing::warn!(issuer, %error, "the keys of an identity provider could not be had");
    match error {
        FetchError::Unreachable(_) => Error::IDPCommunicationErrorException(
            "The identity provider could not be reached. Retry the request.".to_owned(),
        ),
        FetchError::Untrusted => Error::InvalidIdentityTokenException(
            "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
                .to_owned(),
        ),
        FetchError::Unusable(_) => Error::InvalidIdentityTokenException(NO_KEY.to_owned()),
    }
}
