//! Who calls, and how an access key id becomes a caller.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_policy::{Document, Principal};
use haechi_wire::{Fault, SecretString, Timestamp};

use crate::{AccountId, Region, Session};

/// The policies that come with a principal, compiled.
#[derive(Default)]
pub struct PrincipalPolicies {
    /// Its own, its groups', its role's.
    pub identity: Vec<Arc<Document>>,
    /// The permissions boundary.
    pub boundary: Option<Arc<Document>>,
    /// Session policies, where the session has any.
    pub session: Option<Vec<Arc<Document>>>,
}

/// An authenticated caller.
pub struct Caller {
    /// As policies see it.
    pub principal: Principal,
    /// The account it belongs to.
    pub account: AccountId,
    /// The key that signed the request.
    pub access_key_id: String,
    /// IAM's unique id (`AIDA…`); the account's digits for its root user.
    pub user_id: String,
    /// The IAM user's name, where it is a user.
    pub user_name: Option<String>,
    /// Tags on the principal.
    pub tags: Vec<(String, String)>,
    /// What it may do.
    pub policies: PrincipalPolicies,
    /// When its temporary credentials were issued; `None` for long-term ones.
    pub issued: Option<Timestamp>,
    /// What else its temporary credentials say.
    pub session: Option<Session>,
}

impl Caller {
    /// Nobody: who calls an operation that needs no signature.
    pub fn anonymous() -> Caller {
        Caller {
            principal: Principal::Anonymous,
            account: AccountId::anonymous(),
            access_key_id: String::new(),
            user_id: String::new(),
            user_name: None,
            tags: Vec::new(),
            policies: PrincipalPolicies::default(),
            issued: None,
            session: None,
        }
    }

    /// A service that acts for itself, on behalf of a resource of this account.
    pub fn service(name: &str, account: AccountId) -> Caller {
        let name = format!("{name}.amazonaws.com");
        Caller {
            user_id: name.clone(),
            principal: Principal::Service { name },
            account,
            ..Caller::anonymous()
        }
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        self.principal.name()
    }
}

/// An access key that is valid now.
pub struct Credential {
    /// The secret that signs; never printed. `None` only under `--dev`, for a key id that nobody
    /// created and whose signature is not checked.
    pub secret: Option<SecretString>,
    /// Who calls with it.
    pub caller: Arc<Caller>,
    /// Whether its time is over: it is then refused, as expired and not as unknown.
    pub is_expired: bool,
    /// Room for the gateway to keep what it derives from the secret (signing keys); it lives and
    /// dies with the credential, so that a deleted key leaves nothing behind.
    pub derived: Mutex<Vec<Arc<dyn std::any::Any + Send + Sync>>>,
}

impl Credential {
    /// A key, its secret and its owner.
    pub fn new(secret: Option<SecretString>, caller: Caller) -> Credential {
        let (caller, derived) = (Arc::new(caller), Mutex::new(Vec::new()));
        Credential { secret, caller, is_expired: false, derived }
    }
}

/// Looks callers up; IAM implements it.
#[async_trait]
pub trait Identities: Send + Sync + 'static {
    /// The credential of an access key id; `None` if there is none, or it is inactive, or the
    /// session token is not its own.
    ///
    /// # Errors
    /// If the store fails.
    async fn credential(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Option<Arc<Credential>>, Fault>;

    /// Hears that a caller has made a request for `service` in `region` that was accepted: what
    /// `iam:GetAccessKeyLastUsed` answers. On the hot path, so it must not wait for anything.
    fn used(&self, caller: &Caller, service: &'static str, region: &Region, now: Timestamp) {
        let _ = (caller, service, region, now);
    }
}
