//! A queue's policy, as SQS reads it: what it says of resources need not be ARNs (recorded).

use haechi_policy::{Document, Kind, ParseError};
use serde_json::Value;

/// The ARN of no queue: none is called so.
const NO_QUEUE: &str = "arn:aws:sqs:*:*:/";

/// Reads a policy. A resource that is no ARN names nothing.
///
/// # Errors
/// What is wrong with it, but for its resources.
pub(crate) fn parse(text: &str) -> Result<Document, ParseError> {
    match Document::parse(text, Kind::Resource) {
        Err(ParseError::ResourceNotArn { .. }) => {
            let Ok(mut policy) = serde_json::from_str::<Value>(text) else {
                return Document::parse(text, Kind::Resource);
            };
            if let Some(statements) = policy.get_mut("Statement") {
                each(statements, &mut |statement| {
                    let named = ["Resource", "NotResource"];
                    for name in named {
                        if let Some(resources) = statement.get_mut(name) {
                            each(resources, &mut name_nothing);
                        }
                    }
                });
            }
            Document::parse(&policy.to_string(), Kind::Resource)
        }
        read => read,
    }
}

/// One, or each of many.
fn each(value: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(many) => many.iter_mut().for_each(change),
        one => change(one),
    }
}

fn name_nothing(resource: &mut Value) {
    let is_arn = resource.as_str().is_some_and(|text| text == "*" || text.contains(':'));
    if resource.is_string() && !is_arn {
        *resource = Value::String(NO_QUEUE.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn policy(resource: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":{resource}}}]}}"#
        )
    }

    #[test]
    fn what_is_no_arn_is_taken_and_the_rest_is_not() {
        for resource in [r#""'$sqs_queue_arn'""#, r#"["orders", "*"]"#, r#""*""#] {
            assert!(parse(&policy(resource)).is_ok(), "{resource}");
        }
        for resource in [r#""arn:nowhere:sqs:::x""#, "1"] {
            assert!(parse(&policy(resource)).is_err(), "{resource}");
        }
    }
}
