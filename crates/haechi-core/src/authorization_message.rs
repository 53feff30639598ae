//! Encoded authorization failure messages: why a call was denied, sealed, so that only those whom
//! `sts:DecodeAuthorizationMessage` is allowed can read it. A service of AWS that encodes (EC2 and
//! what grew out of it) appends one to its denial with [`encode`]; STS opens it with [`decode`].
//!
//! ```text
//! message = base64url( seal( deflate( JSON ) ) )     aad = the denied caller's account
//! ```
//! The JSON has the form that "DecodeAuthorizationMessage" shows in the API reference of STS.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use haechi_crypto::keyring::Purpose;
use haechi_policy::RecordedRequest;
use haechi_wire::Fault;
use serde_json::{Value, json};

use crate::{AccountId, Cx, Database, Denied};

/// A message is never longer than this, in bytes, once it is opened.
const BYTES_MAX: u64 = 256 * 1024;

/// Parts the seal's uses: nothing else that is sealed for clients has such a name.
fn bound_to(account: &AccountId) -> Vec<u8> {
    format!("authorization message of {account}").into_bytes()
}

/// The denial of the last decision of this call, in the words of a service that encodes.
///
/// # Errors
/// If randomness or the keyring fails.
pub fn encode(cx: &Cx, database: &Database, denied: &Denied) -> Result<Fault, Fault> {
    let Some(request) = cx.refused() else {
        return Ok(Fault::AccessDenied(denied.message.clone()));
    };
    let json = message(cx, &request, denied.denial.is_explicit()).to_string();
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json.as_bytes()).map_err(Fault::internal)?;
    let packed = encoder.finish().map_err(Fault::internal)?;
    let bound = bound_to(&cx.caller.account);
    let sealed = database
        .keyring()
        .seal_for(Purpose::SessionToken, &bound, &packed, &*cx.env.random)
        .map_err(Fault::internal)?;
    Ok(Fault::AccessDenied(format!(
        "You are not authorized to perform this operation. {} Encoded authorization failure \
         message: {}",
        denied.message,
        URL_SAFE_NO_PAD.encode(sealed)
    )))
}

/// What an encoded message says; `None` if it was not made here, or for another account.
pub fn decode(database: &Database, account: &AccountId, message: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(message).ok()?;
    let packed =
        database.keyring().open_for(Purpose::SessionToken, &bound_to(account), &sealed).ok()?;
    let mut json = String::new();
    DeflateDecoder::new(packed.expose()).take(BYTES_MAX).read_to_string(&mut json).ok()?;
    Some(json)
}

fn items(items: Vec<Value>) -> Value {
    json!({ "items": items })
}

fn message(cx: &Cx, request: &RecordedRequest, is_explicit: bool) -> Value {
    let caller = &cx.caller;
    let name = caller.user_name.as_deref().or_else(|| caller.arn().rsplit('/').next());
    let condition = |(key, values): (&String, &Vec<String>)| {
        let values = values.iter().map(|value| json!({ "value": value })).collect();
        json!({ "key": key, "values": items(values) })
    };
    json!({
        "allowed": false,
        "explicitDeny": is_explicit,
        "matchedStatements": items(Vec::new()),
        "failures": items(Vec::new()),
        "context": {
            "principal": { "id": caller.user_id, "name": name, "arn": caller.arn() },
            "action": request.action,
            "resource": request.resource,
            "conditions": items(request.context.iter().map(condition).collect()),
        },
    })
}
