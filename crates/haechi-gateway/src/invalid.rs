//! Input that breaks a service's model, where the service has an error of its own for it.

use haechi_wire::{Fault, Problem};

/// What Organizations answers, and how the constraint that is broken is worded elsewhere.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "Member must satisfy regular expression pattern",
        "INVALID_PATTERN",
        "You provided a value that does not match the required pattern.",
    ),
    ("Member must satisfy enum value set", "INVALID_ENUM", "You specified an invalid value."),
];

/// The answer to input of which `message` tells what is wrong.
pub(crate) fn problem(service: &str, message: String) -> Problem {
    let worded = |(words, _, _): &&(&str, &str, &str)| message.contains(words);
    match REASONS.iter().find(worded).filter(|_| service == "organizations") {
        Some((_, reason, told)) => {
            Problem::modelled("InvalidInputException", 400, (*told).to_owned())
                .with_message_member("Message")
                .with("Reason", (*reason).to_owned())
        }
        None => Fault::Validation(message).into(),
    }
}

#[cfg(test)]
mod tests {
    use haechi_wire::Protocol;

    use super::*;

    #[test]
    fn organizations_tells_of_patterns_and_enumerations_by_reason() {
        let broken = |constraint: &str| {
            let message = format!("1 validation error detected: Value 'x' at 'y' {constraint}");
            let body = problem("organizations", message).body(Protocol::Json11, "", "");
            String::from_utf8(body).unwrap()
        };
        let pattern = broken("Member must satisfy regular expression pattern: ^r-$");
        assert_eq!(
            pattern,
            r#"{"__type":"InvalidInputException","Message":"You provided a value that does not match the required pattern.","Reason":"INVALID_PATTERN"}"#
        );
        let one_of = broken("Member must satisfy enum value set: [A, B]");
        assert!(one_of.contains(r#""Reason":"INVALID_ENUM""#), "{one_of}");
        assert!(broken("Member must not be null").contains("ValidationException"));
    }

    #[test]
    fn other_services_answer_a_validation_error() {
        let message = "Member must satisfy regular expression pattern: x".to_owned();
        assert_eq!(problem("kms", message).code(Protocol::Json11), "ValidationException");
    }
}
