//! The audit record of an operator's command.

use haechi_core::Env;
use serde_json::{Value, json};

use super::Ask;
use crate::Failure;
use crate::installation::Installation;

/// The service that the records name.
const OPERATOR: &str = "operator.haechi";

/// What the audit log tells of a command.
pub struct Told {
    /// The account that it is about: in whose events it shows. `None` where it is about the
    /// installation.
    pub account: Option<String>,
    /// What was asked; nothing secret.
    pub parameters: Value,
}

impl Told {
    /// Of a command about the installation.
    pub const fn installation(parameters: Value) -> Told {
        Told { account: None, parameters }
    }
}

/// Does what is asked, and records it where the ask says so.
///
/// # Errors
/// What the ask answers; or if the audit log cannot be written: it may have been done then.
pub async fn done<A: Ask>(ask: A, installation: &Installation) -> Result<A::Answer, Failure> {
    let Some(told) = ask.told() else { return ask.answer(installation).await };
    let audit = &installation.stack.audit;
    if !audit.is_healthy() {
        return Err("the audit log cannot be written, so nothing was done".into());
    }
    let answer = ask.answer(installation).await;
    let failure = answer.as_ref().err().map(ToString::to_string);
    audit.append(record(A::NAME, &told, failure.as_deref(), &installation.env)?).await?;
    answer
}

/// Records an order that the server itself is about to do.
///
/// # Errors
/// If the audit log cannot be written.
pub async fn ordered(name: &str, installation: &Installation) -> Result<(), Failure> {
    let told = Told::installation(json!({}));
    let record = record(name, &told, None, &installation.env)?;
    Ok(installation.stack.audit.append(record).await?)
}

fn record(name: &str, told: &Told, failure: Option<&str>, env: &Env) -> Result<Vec<u8>, Failure> {
    let mut event = json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "AWSService", "invokedBy": OPERATOR },
        "eventTime": env.now().iso8601(),
        "eventSource": OPERATOR,
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": OPERATOR,
        "userAgent": OPERATOR,
        "requestParameters": told.parameters,
        "responseElements": Value::Null,
        "requestID": env.uuid()?.to_string(),
        "eventID": env.uuid()?.to_string(),
        "readOnly": false,
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": told.account.as_deref().unwrap_or_default(),
        "eventCategory": "Management",
    });
    if let (Some(failure), Some(object)) = (failure, event.as_object_mut()) {
        object.insert("errorCode".to_owned(), "Failed".into());
        object.insert("errorMessage".to_owned(), failure.lines().next().unwrap_or_default().into());
    }
    Ok(event.to_string().into_bytes())
}
