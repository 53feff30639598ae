//! Resource policies of secrets: what is checked before one is accepted.
//!
//! Source: API Reference, PutResourcePolicy, ValidateResourcePolicy; User Guide, "Attach a
//! permissions policy", for the messages.

use std::sync::Arc;

use haechi_core::{Env, PrincipalIds};
use haechi_policy::{ContextMap, Document, Kind, Policies, Principal, Request, evaluate};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::SERVICE;
use haechi_wire::Fault;
use serde_json::Value;

/// The only name that a policy of a secret has.
pub(crate) const NAME: &str = "default";

/// Reads a policy that somebody wants to put, and finds those whom it names.
pub(crate) async fn accept(env: &Env, text: &str) -> Result<(Document, PrincipalIds), Error> {
    let document = parse(text)?;
    let principals = env.principal_ids(&document, |_| unsupported_principal()).await?;
    Ok((document, principals))
}

fn parse(text: &str) -> Result<Document, Error> {
    let malformed = |_| {
        let message = "This resource policy contains a syntax error.";
        Error::MalformedPolicyDocumentException(message.to_owned())
    };
    let document = Document::parse(text, Kind::Resource).map_err(malformed)?;
    document.require_resources().map_err(malformed)?;
    document.require_known_services().map_err(|_| {
        let message = "This resource policy contains an unsupported service principal.";
        Error::MalformedPolicyDocumentException(message.to_owned())
    })?;
    Ok(document)
}

fn unsupported_principal() -> Error {
    let message = "This resource policy contains an unsupported principal.";
    Error::MalformedPolicyDocumentException(message.to_owned())
}

/// Whether the policy lets in somebody of whom nothing is known, from any account: for that no
/// condition may ask who it is.
pub(crate) fn is_public(document: &Document, secret_arn: &str) -> Result<bool, Fault> {
    let all =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let identity = [Arc::new(Document::parse(all, Kind::Identity).map_err(Fault::internal)?)];
    let policies =
        Policies { identity: &identity, resource: Some(document), ..Policies::default() };
    let owner = secret_arn.split(':').nth(4).unwrap_or_default();
    // `--dev` has an account of nothing but noughts.
    let elsewhere = if owner == "000000000000" { "999999999999" } else { "000000000000" };
    let stranger = Principal::User {
        arn: format!("arn:aws:iam::{elsewhere}:user/anybody"),
        unique_id: "AIDAANYBODY".to_owned(),
        account: elsewhere.to_owned(),
    };
    let nothing = ContextMap::default();
    Ok(SERVICE.operations.iter().any(|operation| {
        let action = format!("secretsmanager:{operation}");
        let request = Request {
            principal: &stranger,
            action: &action,
            resource: secret_arn,
            resource_account: owner,
            context: &nothing,
        };
        evaluate(&policies, &request).is_allowed()
    }))
}

/// The name of a policy, as asked for: there is one.
pub(crate) fn check_name(name: Option<&str>) -> Result<(), Error> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(name) => Err(Error::ResourceNotFoundException(format!(
            "Secrets Manager can't find the resource policy {name}."
        ))),
    }
}

/// A policy with the statements of another one too.
pub(crate) fn joined(own: Option<&str>, other: &str) -> Result<String, Fault> {
    let Some(own) = own else { return Ok(other.to_owned()) };
    let mut all: Value = serde_json::from_str(own).map_err(Fault::internal)?;
    let other: Value = serde_json::from_str(other).map_err(Fault::internal)?;
    let statements = |document: &Value| match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let list = [statements(&all), statements(&other)].concat();
    if let Some(all) = all.as_object_mut() {
        all.insert("Statement".to_owned(), Value::Array(list));
    }
    Ok(all.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-east-1:111111111111:secret:a-abcdef";

    fn public(principal: &str, condition: &str) -> bool {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},
                "Action":"secretsmanager:GetSecretValue","Resource":"*","Condition":{condition}}}]}}"#
        );
        is_public(&parse(&text).unwrap(), ARN).unwrap()
    }

    #[test]
    fn everybody_is_public_unless_a_condition_says_who() {
        assert!(public(r#""*""#, "{}"));
        assert!(public(r#"{"AWS":"*"}"#, "{}"));
        assert!(!public(r#"{"AWS":"arn:aws:iam::222222222222:root"}"#, "{}"));
        let organization = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}"#;
        assert!(!public(r#""*""#, organization));
        let of_dev = ARN.replace("111111111111", "000000000000");
        let other = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*",
            "Action":"secretsmanager:GetSecretValue","Principal":{"AWS":"222222222222"}}}"#;
        assert!(!is_public(&parse(other).unwrap(), &of_dev).unwrap());
    }
}
