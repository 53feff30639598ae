//! New temporary credentials.

use haechi_core::{AccountId, Cx, SessionClaims, SessionHolder, access_key_id};
use haechi_sts_model::Error;
use haechi_sts_model::shapes::Credentials;
use haechi_wire::{Fault, SecretString, Timestamp};
use zeroize::Zeroizing;

use crate::Sts;
use crate::policies::SessionPolicies;
use crate::tags::SessionTags;

const SECRET_LENGTH: usize = 40;
const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Compressed claims are at most this long, in bytes: policies and tags take most of it.
const PACKED_MAX: usize = 4096;

/// What is asked for.
pub(crate) struct Wish<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) holder: SessionHolder,
    pub(crate) seconds: i32,
    pub(crate) policies: SessionPolicies,
    pub(crate) tags: SessionTags,
    pub(crate) source_identity: Option<String>,
    /// When a one-time password was shown for it.
    pub(crate) mfa: Option<Timestamp>,
    /// The identity provider that vouches for whoever gets it.
    pub(crate) federated_provider: Option<String>,
    /// The ARN of the function that Lambda gives it to.
    pub(crate) source_function: Option<String>,
}

/// What is handed out.
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
    /// How much of the room for policies and tags they take, in percent; `None` if there are none.
    pub(crate) packed_percent: Option<i32>,
}

/// An error whose code is in no model of STS, but in its answers.
pub(crate) fn invalid_parameter(message: &str) -> Error {
    const CODE: &str = "InvalidParameterValue";
    let message = message.to_owned();
    Fault::Authentication { document_code: CODE, xml_code: CODE, status: 400, message }.into()
}

impl Sts {
    /// Makes the credentials.
    pub(crate) fn issue(&self, cx: &Cx, wish: Wish<'_>) -> Result<Issued, Error> {
        let (env, random) = (&cx.env, &*cx.env.random);
        let id = access_key_id::create("ASIA", wish.account, random).map_err(Fault::internal)?;
        let secret = env.characters(SECRET_ALPHABET, SECRET_LENGTH).map_err(Fault::internal)?;
        let now = cx.now();
        // Expiry is shown in whole seconds.
        let expires = now.seconds() + i64::from(wish.seconds);
        let has_any = !wish.policies.is_empty() || !wish.tags.tags.is_empty();
        let claims = SessionClaims {
            secret: Zeroizing::new(secret),
            holder: wish.holder,
            issued_ms: now.millis(),
            expires_ms: expires.saturating_mul(1000),
            policies: wish.policies.inline,
            policy_arns: wish.policies.arns,
            tags: wish.tags.tags,
            transitive_tag_keys: wish.tags.transitive_keys,
            source_identity: wish.source_identity,
            mfa_ms: wish.mfa.map(Timestamp::millis),
            federated_provider: wish.federated_provider,
            source_function: wish.source_function,
        };
        let (session_token, packed) = claims.seal(&self.database, env, &id)?;
        let percent = packed * 100 / PACKED_MAX;
        if packed > PACKED_MAX {
            return Err(Error::PackedPolicyTooLargeException(format!(
                "Packed size of session policies and tags consumes {percent}% of allotted space."
            )));
        }
        Ok(Issued {
            credentials: Credentials {
                access_key_id: id,
                secret_access_key: SecretString(claims.secret.to_string()),
                session_token,
                expiration: Timestamp::from_seconds(expires),
            },
            packed_percent: has_any.then(|| i32::try_from(percent).unwrap_or(100)),
        })
    }
}
