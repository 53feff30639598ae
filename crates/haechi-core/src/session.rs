//! Session tokens: temporary credentials that carry everything about themselves.
//!
//! STS seals what a session is ([`SessionClaims`]) into its token, and IAM opens it again with each
//! request that bears one; nothing about a session is stored. The access key id is bound to the
//! token as additional data, so a token is worth nothing beside another key.
//!
//! ```text
//! token = base64( seal( deflate( CBOR( claims ) ) ) )     aad = access key id
//! ```

use std::io::{Read, Write};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use haechi_crypto::keyring::Purpose;
use haechi_policy::Document;
use haechi_wire::{Fault, SecretString, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{AccountId, Database, Env};

/// Claims are never longer than this, in bytes, before they are compressed.
const CLAIMS_MAX: u64 = 64 * 1024;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionHolder {
    /// A role that was assumed.
    Role {
        /// The role's name.
        name: String,
        /// The role's unique id.
        id: String,
        /// The session's name.
        session_name: String,
    },
    /// A user with credentials of `GetSessionToken`.
    User {
        /// The user's name.
        name: String,
        /// The user's unique id.
        id: String,
    },
    /// The root user with such.
    Root,
    /// A federated user of `GetFederationToken`.
    Federated {
        /// The name that was given.
        name: String,
        /// The name and unique id of the user who made the session; `None` for the root user.
        user: Option<(String, String)>,
    },
}

/// What a session token says. The account stands in the access key id.
#[derive(Clone, Serialize, Deserialize)]
pub struct SessionClaims {
    /// The secret access key.
    pub secret: Zeroizing<String>,
    /// Whose session it is.
    pub holder: SessionHolder,
    /// When it was made, in milliseconds of Unix time.
    pub issued_ms: i64,
    /// When it ends.
    pub expires_ms: i64,
    /// Session policies as they were written.
    pub policies: Vec<String>,
    /// ARNs of managed session policies.
    pub policy_arns: Vec<String>,
    /// Session tags, inherited ones among them.
    pub tags: Vec<(String, String)>,
    /// Keys of the tags that sessions assumed from this one inherit.
    pub transitive_tag_keys: Vec<String>,
    /// The source identity, which stays through a chain of roles.
    pub source_identity: Option<String>,
    /// When a one-time password was shown for it, in milliseconds of Unix time.
    #[serde(default)]
    pub mfa_ms: Option<i64>,
    /// The identity provider that vouched for whoever has it, as in `aws:FederatedProvider`.
    #[serde(default)]
    pub federated_provider: Option<String>,
    /// The ARN of the function that Lambda has given it to, as in `lambda:SourceFunctionArn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_function: Option<String>,
}

impl SessionClaims {
    /// The token for these claims and an access key id, and the size of its compressed claims.
    ///
    /// # Errors
    /// If randomness or the keyring fails.
    pub fn seal(
        &self,
        database: &Database,
        env: &Env,
        access_key_id: &str,
    ) -> Result<(String, usize), Fault> {
        let mut plain = Zeroizing::new(Vec::with_capacity(1024));
        ciborium::into_writer(self, &mut *plain).map_err(Fault::internal)?;
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(1024), Compression::default());
        encoder.write_all(&plain).map_err(Fault::internal)?;
        let packed = Zeroizing::new(encoder.finish().map_err(Fault::internal)?);
        let sealed = database
            .keyring()
            .seal_for(Purpose::SessionToken, access_key_id.as_bytes(), &packed, &*env.random)
            .map_err(Fault::internal)?;
        Ok((STANDARD.encode(sealed), packed.len()))
    }

    /// What a token says; `None` if it was not made here, or for another access key id.
    pub fn open(database: &Database, access_key_id: &str, token: &str) -> Option<SessionClaims> {
        let sealed = STANDARD.decode(token).ok()?;
        let packed = database
            .keyring()
            .open_for(Purpose::SessionToken, access_key_id.as_bytes(), &sealed)
            .ok()?;
        let mut plain = Zeroizing::new(Vec::with_capacity(1024));
        DeflateDecoder::new(packed.expose()).take(CLAIMS_MAX).read_to_end(&mut plain).ok()?;
        ciborium::from_reader(plain.as_slice()).ok()
    }

    /// What a caller with the token has besides its principal.
    pub fn session(&self) -> Session {
        let is_transitive = |key: &str| self.transitive_tag_keys.iter().any(|one| one == key);
        let tags = self.tags.iter().filter(|(key, _)| is_transitive(key));
        Session {
            holder: self.holder.clone(),
            transitive_tags: tags.cloned().collect(),
            source_identity: self.source_identity.clone(),
            mfa: self.mfa_ms.map(Timestamp::from_millis),
            federated_provider: self.federated_provider.clone(),
            source_function: self.source_function.clone(),
        }
    }

    /// The secret access key, for the credential.
    pub fn secret(&self) -> SecretString {
        SecretString(self.secret.to_string())
    }
}

/// What a caller with temporary credentials has besides its principal.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose session it is.
    pub holder: SessionHolder,
    /// Tags that sessions assumed from this one inherit.
    pub transitive_tags: Vec<(String, String)>,
    /// The source identity.
    pub source_identity: Option<String>,
    /// When a one-time password was shown for it.
    pub mfa: Option<Timestamp>,
    /// The identity provider that vouched for whoever has it.
    pub federated_provider: Option<String>,
    /// The ARN of the function in whose execution environment it is.
    pub source_function: Option<String>,
}

/// A role that someone wants to assume.
pub struct AssumableRole {
    /// The account that owns it.
    pub account: AccountId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub id: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// Its trust policy, compiled and bound to the principals that it named.
    pub trust: Arc<Document>,
    /// The longest session, in seconds.
    pub session_seconds_max: i32,
}

/// Knows roles and managed policies; IAM implements it, STS asks.
#[async_trait]
pub trait Roles: Send + Sync + 'static {
    /// The role with this ARN, whatever its account.
    ///
    /// # Errors
    /// If the store fails.
    async fn role(&self, arn: &str) -> Result<Option<AssumableRole>, Fault>;

    /// Whether an account has, or AWS gives it, the managed policy with this ARN.
    ///
    /// # Errors
    /// If the store fails.
    async fn has_policy(&self, account: &AccountId, arn: &str) -> Result<bool, Fault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims as they were before some had a function.
    #[derive(Serialize)]
    struct OldClaims {
        secret: &'static str,
        holder: SessionHolder,
        issued_ms: i64,
        expires_ms: i64,
        policies: [String; 0],
        policy_arns: [String; 0],
        tags: [(String, String); 0],
        transitive_tag_keys: [String; 0],
        source_identity: Option<String>,
    }

    fn written(claims: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(claims, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn tokens_of_before_functions_were_told_are_read_and_others_stay_as_they_were() {
        let old = written(&OldClaims {
            secret: "s",
            holder: SessionHolder::Root,
            issued_ms: 1,
            expires_ms: 2,
            policies: [],
            policy_arns: [],
            tags: [],
            transitive_tag_keys: [],
            source_identity: Some("alice".to_owned()),
        });
        let mut claims: SessionClaims = ciborium::from_reader(old.as_slice()).unwrap();
        assert_eq!(claims.source_identity.as_deref(), Some("alice"));
        assert_eq!(claims.session().source_function, None);
        let has_key = |bytes: &[u8]| bytes.windows(15).any(|part| part == b"source_function");
        assert!(!has_key(&written(&claims)));
        claims.source_function = Some("arn".to_owned());
        let new = written(&claims);
        assert!(has_key(&new));
        let read: SessionClaims = ciborium::from_reader(new.as_slice()).unwrap();
        assert_eq!(read.session().source_function.as_deref(), Some("arn"));
    }
}
