//! Input that breaks a service's model, where the service has an error of its own for it.

use haechi_wire::{Fault, Problem, Protocol};

/// What Organizations answers, and how the constraint that is broken is worded elsewhere.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "Member must satisfy regular expression pattern",
        "INVALID_PATTERN",
        "You provided a value that does not match the required pattern.",
    ),
    ("Member must satisfy enum value set", "INVALID_ENUM", "You specified an invalid value."),
];

/// The parameter that a message says is missing: `QueueUrl`.
fn missing(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Value null at '")?;
    let (path, _) = rest.split_once('\'')?;
    let mut letters = path.rsplit('.').next()?.chars();
    Some(letters.next()?.to_uppercase().chain(letters).collect())
}

/// A refusal as its service words it in this protocol: SQS tells of a queue that is not there as it
/// always did to those who speak query (recorded).
pub(crate) fn worded(problem: Problem, protocol: Protocol) -> Problem {
    match problem {
        Problem::Modelled { code: code @ "QueueDoesNotExist", status, query_code, .. }
            if protocol == Protocol::Query =>
        {
            let told = "The specified queue does not exist for this wsdl version.";
            let problem = Problem::modelled(code, status, told.to_owned());
            problem.with_query_code(query_code.unwrap_or(code))
        }
        other => other,
    }
}

/// The answer to input of which `message` tells what is wrong.
pub(crate) fn problem(service: &str, message: String) -> Problem {
    // SQS tells of the first parameter that is missing (recorded).
    if let Some(name) = missing(&message).filter(|_| service == "sqs") {
        let told = format!("The request must contain the parameter {name}.");
        return Problem::modelled("MissingRequiredParameterException", 400, told)
            .with_query_code("MissingParameter");
    }
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
    use super::*;

    #[test]
    fn sqs_names_the_parameter_that_is_missing() {
        let told = "1 validation error detected: Value null at 'messageBody' failed to satisfy constraint: Member must not be null";
        let problem = problem("sqs", told.to_owned());
        assert_eq!(problem.code(Protocol::Query), "MissingParameter");
        assert_eq!(problem.message(), "The request must contain the parameter MessageBody.");
    }

    #[test]
    fn sqs_words_a_missing_queue_as_of_old_in_query() {
        let gone = || {
            Problem::modelled("QueueDoesNotExist", 400, "x".to_owned())
                .with_query_code("Service.Gone")
        };
        let query = worded(gone(), Protocol::Query);
        assert_eq!(query.code(Protocol::Query), "Service.Gone");
        assert!(query.message().ends_with("for this wsdl version."));
        assert_eq!(worded(gone(), Protocol::Json10).message(), "x");
    }

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
