//! Whose signature a request bears.

use std::cell::RefCell;
use std::sync::{Arc, PoisonError};

use haechi_core::{Caller, Clock, Credential, Identities, Region};
use haechi_sigv4::{
    AuthError, Expected, Payload, Presented, RequestView, Rules, Scratch, SigningKey, Timestamp,
    parse, verify,
};
use haechi_wire::{Fault, Protocol, ServiceSchema};

/// Signing keys kept for one credential: one a day, Region and service that it is used in.
const SIGNING_KEYS_MAX: usize = 64;

/// What SDKs call the Region of services that have none. Where they choose the endpoint, they sign
/// for the first Region; where they are given one, as always here, for this name.
const GLOBAL: &str = "aws-global";

/// Services that SDKs know in that Region.
const WITHOUT_REGIONS: [&str; 3] = ["iam", "organizations", "sts"];

/// Who was authenticated, and where they want to act.
pub struct Authenticated {
    /// The caller.
    pub caller: Arc<Caller>,
    /// The Region of the credential scope.
    pub region: Region,
}

/// Why nobody was: what to answer, and for the audit record the key that was presented.
pub struct Refused {
    /// What to answer.
    pub fault: Fault,
    /// The access key id that was presented, if one could be read.
    pub access_key_id: Option<String>,
    /// The Region that was asked for, if one could be read.
    pub region: Option<Region>,
}

thread_local! {
    /// Buffers of the canonical request: a verification allocates nothing.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Checks a request's signature.
///
/// `wall` is the machine's clock: a client signs with real time, even under `--dev` where haechi's
/// own time may have been moved.
///
/// # Errors
/// Who is refused, and why, in AWS's words.
pub async fn authenticate(
    identities: &dyn Identities,
    wall: &dyn Clock,
    service: &'static ServiceSchema,
    protocol: Protocol,
    request: &RequestView<'_>,
    body: &[u8],
) -> Result<Authenticated, Refused> {
    let anonymous =
        |error| Refused { fault: told(&error, protocol), access_key_id: None, region: None };
    let presented = parse(request).map_err(anonymous)?;
    let region = scoped(service.name, presented.region());
    let refused = |fault| Refused {
        fault,
        access_key_id: Some(presented.access_key_id().to_owned()),
        region: region.clone(),
    };
    let refuse = |error: AuthError| refused(told(&error, protocol));
    let region_is_valid: fn(&str) -> bool = if WITHOUT_REGIONS.contains(&service.name) {
        |region| region == GLOBAL || Region::parse(region).is_some()
    } else {
        |region| Region::parse(region).is_some()
    };
    let expected = Expected { service: service.name, region_is_valid };
    let now = Timestamp::from_unix_seconds(wall.now().seconds());
    let checked = presented.check(now, &expected, &Rules::STANDARD);
    let credential = identities
        .credential(presented.access_key_id(), presented.session_token())
        .await
        .map_err(refused)?;
    // Only `--dev` has credentials without a secret; nothing of the signature counts then.
    let any_will_do = credential.as_ref().is_some_and(|credential| credential.secret.is_none());
    if !any_will_do {
        checked.clone().map_err(refuse)?;
    }
    let Some(credential) = credential else {
        let access_key_id = presented.access_key_id().to_owned();
        return Err(refuse(match presented.session_token() {
            Some(_) => AuthError::InvalidToken,
            None => AuthError::UnknownAccessKey { access_key_id },
        }));
    };
    if credential.is_expired {
        return Err(refuse(AuthError::ExpiredToken));
    }
    if let Some(key) = signing_key(&credential, &presented) {
        let verified = SCRATCH.with_borrow_mut(|scratch| {
            verify(&presented, request, Payload::Bytes(body), &key, &Rules::STANDARD, scratch)
        });
        verified.map_err(refuse)?;
    }
    match region.clone() {
        Some(region) => Ok(Authenticated { caller: Arc::clone(&credential.caller), region }),
        None => {
            let unchecked = |()| refused(Fault::internal("a Region that was checked is not valid"));
            Err(checked.map_or_else(refuse, unchecked))
        }
    }
}

/// The Region of a scope; of a service without Regions it is the first one.
fn scoped(service: &str, region: &str) -> Option<Region> {
    let global = region == GLOBAL && WITHOUT_REGIONS.contains(&service);
    Region::parse(if global { "us-east-1" } else { region })
}

/// The key that this request should be signed with; `None` only for a credential without a secret
/// (`--dev`).
fn signing_key(credential: &Credential, presented: &Presented<'_>) -> Option<Arc<SigningKey>> {
    let secret = credential.secret.as_ref()?;
    let mut kept = credential.derived.lock().unwrap_or_else(PoisonError::into_inner);
    let found = kept
        .iter()
        .filter_map(|any| Arc::clone(any).downcast::<SigningKey>().ok())
        .find(|key| key.scope() == presented.scope());
    if let Some(key) = found {
        return Some(key);
    }
    let key = Arc::new(SigningKey::derive(
        &secret.0,
        presented.date(),
        presented.region(),
        presented.service(),
    ));
    if kept.len() >= SIGNING_KEYS_MAX {
        kept.clear();
    }
    kept.push(Arc::clone(&key) as _);
    Some(key)
}

/// An authentication error as a fault that any protocol can render.
pub(crate) fn told(error: &AuthError, protocol: Protocol) -> Fault {
    use haechi_sigv4::Protocol as Family;
    let family = match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RpcV2Cbor => Family::Json,
        Protocol::RestJson => Family::RestJson,
        Protocol::Query | Protocol::QueryJson | Protocol::RestXml => Family::Query,
        Protocol::Ec2 => Family::Ec2,
    };
    Fault::Authentication {
        document_code: error.code(Family::Json),
        xml_code: error.code(Family::Query),
        status: error.status(family),
        message: error.message(family),
    }
}
