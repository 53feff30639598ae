//! Statements of resource policies, as `AddPermission` writes them.
//!
//! Source: recordings; API Reference, AddPermission.

use haechi_core::AccountId;
use haechi_lambda_model::Error;
use haechi_lambda_model::shapes::AddPermissionRequest;
use serde_json::{Map, Value, json};

use crate::reference::Reference;
use crate::words::invalid;

/// Bytes of a policy, at most (quota).
pub(crate) const POLICY_MAX: usize = 20_480;

/// Under what the policy of a qualifier stands.
pub(crate) fn key(qualifier: Option<&str>) -> &str {
    qualifier.unwrap_or_default()
}

/// The policy of its statements.
pub(crate) fn document(statements: &[String]) -> String {
    let statements = statements.join(",");
    format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}"#)
}

/// The id of a statement.
pub(crate) fn sid(statement: &str) -> Option<String> {
    let statement: Value = serde_json::from_str(statement).ok()?;
    Some(statement.get("Sid")?.as_str()?.to_owned())
}

/// The statement that a request asks for.
pub(crate) fn statement(
    reference: &Reference,
    input: &AddPermissionRequest,
) -> Result<String, Error> {
    let mut equals = Map::new();
    let pairs = [
        ("AWS:SourceAccount", input.source_account.as_deref()),
        ("lambda:EventSourceToken", input.event_source_token.as_deref()),
        ("aws:PrincipalOrgID", input.principal_org_id.as_deref()),
        ("lambda:FunctionUrlAuthType", input.function_url_auth_type.map(|kind| kind.as_str())),
    ];
    for (key, value) in pairs {
        if let Some(value) = value {
            equals.insert(key.to_owned(), value.into());
        }
    }
    let mut condition = Map::new();
    if !equals.is_empty() {
        condition.insert("StringEquals".to_owned(), equals.into());
    }
    if let Some(via_url) = input.invoked_via_function_url {
        let via_url = via_url.to_string();
        condition.insert("Bool".to_owned(), json!({"lambda:InvokedViaFunctionUrl": via_url}));
    }
    if let Some(arn) = &input.source_arn {
        condition.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": arn}));
    }
    let mut statement = Map::new();
    statement.insert("Sid".to_owned(), input.statement_id.as_str().into());
    statement.insert("Effect".to_owned(), "Allow".into());
    statement.insert("Principal".to_owned(), principal(reference, &input.principal)?);
    statement.insert("Action".to_owned(), input.action.as_str().into());
    statement.insert("Resource".to_owned(), reference.arn().into());
    if !condition.is_empty() {
        statement.insert("Condition".to_owned(), condition.into());
    }
    Ok(Value::Object(statement).to_string())
}

fn principal(reference: &Reference, given: &str) -> Result<Value, Error> {
    if given == "*" {
        return Ok("*".into());
    }
    if AccountId::parse(given).is_some() {
        return Ok(json!({"AWS": format!("arn:{}:iam::{given}:root", reference.partition)}));
    }
    let is_arn = given.starts_with("arn:") && given.split(':').nth(2) == Some("iam");
    if is_arn || given.starts_with("arn:") && given.split(':').nth(2) == Some("sts") {
        return Ok(json!({"AWS": given}));
    }
    let is_service = given.ends_with(".amazonaws.com") || given.ends_with(".amazon.com");
    if is_service && !given.contains([':', '/', '*']) {
        return Ok(json!({"Service": given}));
    }
    Err(invalid("The provided principal was invalid. Please check the principal and try again."))
}
