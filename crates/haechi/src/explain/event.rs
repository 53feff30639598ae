//! A question of an audit record: the request as it was when it was denied.

use std::path::Path;
use std::sync::Arc;

use haechi_core::audit::parts;
use haechi_log::{Backward, FrameCipher};
use haechi_policy::RecordedRequest;
use memchr::memmem;
use serde_json::Value;

use super::{Given, GivenPolicies, Question, Who};
use crate::Failure;

/// Looks the record up in an audit log, newest first.
///
/// # Errors
/// If the log cannot be read, or has no such record, or one that cannot be explained.
pub fn question(
    log: &Path,
    cipher: &Arc<impl FrameCipher + 'static>,
    event_id: &str,
) -> Result<Question, Failure> {
    let mut backward = Backward::new(log, Arc::clone(cipher) as _, None, 0, u64::MAX)?;
    while let Some(record) = backward.next()? {
        if memmem::find(&record.bytes, event_id.as_bytes()).is_none() {
            continue;
        }
        let (shown, kept) = parts(&record.bytes);
        let event: Value = serde_json::from_slice(shown)?;
        if event.get("eventID").and_then(Value::as_str) == Some(event_id) {
            return of(&event, kept);
        }
    }
    Err(format!(
        "there is no event {event_id} in the audit log; `haechi audit tail --json` shows ids"
    )
    .into())
}

/// The question of one record.
fn of(event: &Value, kept: Option<&[u8]>) -> Result<Question, Failure> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(kept) = kept else {
        let event_id = text("eventID");
        return Err(match text("errorCode") {
            "" => format!("event {event_id} was not denied"),
            code if code.starts_with("AccessDenied") => format!(
                "the request of event {event_id} was not kept: the record is of the resource's \
                 owner, or was made before a decision or by an older haechi"
            ),
            code => format!("event {event_id} failed with {code}, not for want of permission"),
        }
        .into());
    };
    let request = RecordedRequest::from_json(kept)?;
    let mut context = request.context;
    restore_names(event, &mut context);
    let session = request.session_policies.map(|texts| {
        let named = texts.into_iter().zip(1..);
        let given = |(text, number)| Given { name: format!("session policy {number}"), text };
        named.map(given).collect()
    });
    let (time, message) = (text("eventTime"), text("errorMessage"));
    Ok(Question {
        who: Who::Recorded(request.principal),
        action: request.action,
        resource: request.resource,
        resource_account: Some(request.resource_account),
        context,
        given: GivenPolicies { session, ..GivenPolicies::default() },
        notes: vec![
            format!("{} at {time}: {message}", text("eventName")),
            "Decided by the policies as they are now, on the request as it was then.".to_owned(),
        ],
    })
}

/// Names in an encryption context have a case, which condition keys do not keep and constraints of
/// grants compare; the record has them.
fn restore_names(event: &Value, context: &mut std::collections::BTreeMap<String, Vec<String>>) {
    const PREFIX: &str = "kms:encryptioncontext:";
    let pairs = event.pointer("/requestParameters/encryptionContext").and_then(Value::as_object);
    for name in pairs.into_iter().flatten().map(|(name, _)| name) {
        if let Some(values) = context.remove(&format!("{PREFIX}{}", name.to_lowercase())) {
            context.insert(format!("kms:EncryptionContext:{name}"), values);
        }
    }
}
