//! Statements that `AddPermission` writes into a queue's policy and `RemovePermission` takes out
//! (pure).

use haechi_core::AccountId;
use haechi_sqs_model::Error;
use serde_json::{Map, Value, json};

use crate::error::{invalid, missing};

/// What may be allowed.
const ACTIONS: [&str; 9] = [
    "*",
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
];

/// Actions in a statement, at most.
const ACTIONS_MAX: usize = 7;

/// The policy with a statement more.
pub(crate) fn added(
    policy: Option<&String>,
    queue_arn: &str,
    (label, accounts, actions): (&str, &[String], &[String]),
) -> Result<String, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if label.is_empty() || label.len() > 80 || !label.bytes().all(plain) {
        let told =
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
        return Err(invalid("Label", label, told));
    }
    if actions.is_empty() {
        return Err(missing("Actions"));
    }
    if let Some(other) = actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
        let told = "Only the queue owner is allowed to invoke this action.";
        return Err(invalid("ActionName", &format!("SQS:{other}"), told));
    }
    if actions.len() > ACTIONS_MAX {
        let told =
            format!("{} Actions were found, maximum allowed is {ACTIONS_MAX}.", actions.len());
        return Err(Error::OverLimit(told));
    }
    if accounts.is_empty() || accounts.iter().any(|account| AccountId::parse(account).is_none()) {
        let named = format!("[{}]", accounts.join(", "));
        return Err(invalid("PrincipalId", &named, "Unable to verify."));
    }
    let partition = queue_arn.split(':').nth(1).unwrap_or("aws");
    let roots = accounts.iter().map(|account| format!("arn:{partition}:iam::{account}:root"));
    let statement = json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": one_or_many(roots.collect())},
        "Action": one_or_many(actions.iter().map(|action| format!("SQS:{action}")).collect()),
        "Resource": queue_arn,
    });
    let mut policy = match policy {
        Some(text) => read(text)?,
        None => {
            let id = format!("{queue_arn}/SQSDefaultPolicy");
            read(&json!({"Version": "2008-10-17", "Id": id, "Statement": []}).to_string())?
        }
    };
    let statements = statements(&mut policy)?;
    if statements.iter().any(|other| is_labelled(other, label)) {
        return Err(invalid("Label", label, "Already exists."));
    }
    statements.push(statement);
    Ok(Value::Object(policy).to_string())
}

/// The policy without the statement of a label; `None` if no statement is left.
pub(crate) fn removed(policy: Option<&String>, label: &str) -> Result<Option<String>, Error> {
    let missing = || invalid("Label", label, "can't find label.");
    let mut policy = read(policy.ok_or_else(missing)?)?;
    let statements = statements(&mut policy)?;
    let before = statements.len();
    statements.retain(|statement| !is_labelled(statement, label));
    if statements.len() == before {
        return Err(missing());
    }
    let is_empty = statements.is_empty();
    Ok((!is_empty).then(|| Value::Object(policy).to_string()))
}

fn wrong() -> Error {
    Error::InvalidAttributeValue("Invalid value for the parameter Policy.".to_owned())
}

fn read(policy: &str) -> Result<Map<String, Value>, Error> {
    match serde_json::from_str(policy) {
        Ok(Value::Object(policy)) => Ok(policy),
        _ => Err(wrong()),
    }
}

fn statements(policy: &mut Map<String, Value>) -> Result<&mut Vec<Value>, Error> {
    let statements = policy.entry("Statement").or_insert_with(|| Value::Array(Vec::new()));
    if statements.is_object() {
        *statements = Value::Array(vec![statements.take()]);
    }
    statements.as_array_mut().ok_or_else(wrong)
}

fn is_labelled(statement: &Value, label: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(label)
}

fn one_or_many(texts: Vec<String>) -> Value {
    match texts.as_slice() {
        [only] => Value::String(only.clone()),
        many => json!(many),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sqs:us-east-1:111122223333:q";

    #[test]
    fn a_policy_lives_from_its_first_statement_to_its_last() {
        let texts = |text: &str| vec![text.to_owned()];
        let statement = |label| {
            added(None, ARN, (label, &texts("444455556666"), &texts("ReceiveMessage"))).unwrap()
        };
        let policy = statement("one");
        assert_eq!(
            policy,
            r#"{"Version":"2008-10-17","Id":"arn:aws:sqs:us-east-1:111122223333:q/SQSDefaultPolicy","Statement":[{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"SQS:ReceiveMessage","Resource":"arn:aws:sqs:us-east-1:111122223333:q"}]}"#
        );
        let again = added(Some(&policy), ARN, ("one", &texts("444455556666"), &texts("*")));
        assert!(again.is_err());
        let two = added(Some(&policy), ARN, ("two", &texts("444455556666"), &texts("*"))).unwrap();
        assert_eq!(removed(Some(&two), "two").unwrap().as_ref(), Some(&policy));
        assert_eq!(removed(Some(&policy), "one").unwrap(), None);
        assert!(removed(Some(&policy), "other").is_err() && removed(None, "one").is_err());
    }

    #[test]
    fn a_statement_names_somebody_and_something() {
        let texts = |text: &str| vec![text.to_owned()];
        let told = |accounts: &[String], actions: &[String]| match added(
            None,
            ARN,
            ("one", accounts, actions),
        ) {
            Err(
                Error::InvalidParameterValueException(told)
                | Error::MissingRequiredParameterException(told),
            ) => told,
            other => panic!("{other:?}"),
        };
        let nothing = told(&texts("444455556666"), &[]);
        assert_eq!(nothing, "The request must contain the parameter Actions.");
        let nobody = told(&[], &texts("*"));
        assert_eq!(
            nobody,
            "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify."
        );
        let strange = told(&[texts("444455556666"), texts("me")].concat(), &texts("*"));
        assert!(strange.contains("[444455556666, me]"), "{strange}");
    }
}
