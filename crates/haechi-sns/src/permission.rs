//! Statements that `AddPermission` writes into a policy and `RemovePermission` takes out (pure).

use haechi_core::AccountId;
use haechi_sns_model::Error;
use serde_json::{Map, Value, json};

use crate::error::invalid;
use crate::topic::ACTIONS;

/// What else may be allowed.
const RECEIVE: &str = "Receive";

/// The policy with a statement more.
pub(crate) fn added(
    policy: &str,
    topic_arn: &str,
    (label, accounts, actions): (&str, &[String], &[String]),
) -> Result<String, Error> {
    let mut policy = read(policy)?;
    let is_known = |action: &String| ACTIONS.contains(&action.as_str()) || action == RECEIVE;
    if label.is_empty() || accounts.is_empty() || actions.is_empty() {
        return Err(invalid("Label, AWSAccountId and ActionName must not be empty"));
    }
    if !actions.iter().all(is_known) {
        return Err(invalid("Policy statement action out of service scope!"));
    }
    if !accounts.iter().all(|account| AccountId::parse(account).is_some()) {
        return Err(invalid("Policy Error: PrincipalNotFound"));
    }
    let partition = topic_arn.split(':').nth(1).unwrap_or("aws");
    let roots = accounts.iter().map(|account| format!("arn:{partition}:iam::{account}:root"));
    let statement = json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": one_or_many(roots.collect())},
        "Action": one_or_many(actions.iter().map(|action| format!("SNS:{action}")).collect()),
        "Resource": topic_arn,
    });
    let statements = statements(&mut policy)?;
    if statements.iter().any(|other| is_labelled(other, label)) {
        return Err(invalid("Statement already exists"));
    }
    statements.push(statement);
    Ok(Value::Object(policy).to_string())
}

/// The policy without the statement of a label.
pub(crate) fn removed(policy: &str, label: &str) -> Result<String, Error> {
    let mut policy = read(policy)?;
    statements(&mut policy)?.retain(|statement| !is_labelled(statement, label));
    Ok(Value::Object(policy).to_string())
}

/// Whether every statement of a policy was removed.
pub(crate) fn is_without_statements(policy: &str) -> bool {
    let is_none = |statements: &mut Vec<Value>| statements.is_empty();
    read(policy).is_ok_and(|mut policy| statements(&mut policy).is_ok_and(is_none))
}

fn read(policy: &str) -> Result<Map<String, Value>, Error> {
    match serde_json::from_str(policy) {
        Ok(Value::Object(policy)) => Ok(policy),
        _ => Err(invalid("Policy Error: null")),
    }
}

fn statements(policy: &mut Map<String, Value>) -> Result<&mut Vec<Value>, Error> {
    let statements = policy.entry("Statement").or_insert_with(|| Value::Array(Vec::new()));
    if statements.is_object() {
        *statements = Value::Array(vec![statements.take()]);
    }
    statements.as_array_mut().ok_or_else(|| invalid("Policy Error: null"))
}

fn is_labelled(statement: &Value, label: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(label)
}

fn one_or_many(mut texts: Vec<String>) -> Value {
    match (texts.pop(), texts.is_empty()) {
        (Some(only), true) => Value::String(only),
        (Some(last), false) => {
            texts.push(last);
            json!(texts)
        }
        (None, _) => json!([]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:us-east-1:111122223333:t";

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_statement_is_added_and_removed_by_its_label() {
        let before = r#"{"Version":"2008-10-17","Statement":[{"Sid":"own"}]}"#;
        let (accounts, actions) = (texts(&["444455556666"]), texts(&["Publish", "Subscribe"]));
        let after = added(before, ARN, ("other", &accounts, &actions)).unwrap();
        let policy: Value = serde_json::from_str(&after).unwrap();
        let statement = policy["Statement"][1].clone();
        assert_eq!(statement["Principal"]["AWS"], "arn:aws:iam::444455556666:root");
        assert_eq!(statement["Action"], json!(["SNS:Publish", "SNS:Subscribe"]));
        assert!(added(&after, ARN, ("other", &accounts, &actions)).is_err());
        assert_eq!(removed(&after, "other").unwrap(), before);
        assert!(!is_without_statements(before));
        assert!(is_without_statements(&removed(before, "own").unwrap()));
        assert!(added(before, ARN, ("x", &accounts, &texts(&["Other"]))).is_err());
        assert!(added(before, ARN, ("x", &texts(&["1"]), &actions)).is_err());
    }
}
