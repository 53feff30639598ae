//! Input that breaks a service's model, where the service has words of its own for it.

use haechi_wire::validate::{self, NOT_NULL, Violation};
use haechi_wire::{Fault, Problem, Protocol};

/// What Organizations answers, and how the constraint that is broken is worded elsewhere.
const REASONS: &[(&str, &str, &str)] = &[
    (PATTERN, "INVALID_PATTERN", "You provided a value that does not match the required pattern."),
    (ENUMERATION, "INVALID_ENUM", "You specified an invalid value."),
];

const ENUMERATION: &str = "Member must satisfy enum value set";

const PATTERN: &str = "Member must satisfy regular expression pattern";

/// What IAM says of members whose pattern it does not show: of `path` it is recorded (LocalStack's
/// `test_virtual_mfa_device_errors`), of the others reported by many.
const SENTENCES: &[(&[&str], &str)] = &[
    (
        &[
            "userName",
            "newUserName",
            "groupName",
            "newGroupName",
            "roleName",
            "policyName",
            "instanceProfileName",
            "serverCertificateName",
            "newServerCertificateName",
            "virtualMFADeviceName",
        ],
        "It must contain only alphanumeric characters and/or the following: +=,.@_-",
    ),
    (
        &["path", "newPath"],
        "It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ),
    (
        &["pathPrefix"],
        "It must begin with the / character and contain only alphanumeric characters and/or / characters.",
    ),
    (
        &["policyDocument", "assumeRolePolicyDocument"],
        "It must contain only printable ASCII characters.",
    ),
];

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

/// The answer to input that is `broken`.
pub(crate) fn problem(service: &str, broken: &[Violation]) -> Problem {
    match service {
        "organizations" => organizations(broken),
        "sqs" => sqs(broken),
        "iam" => Fault::Validation(iam(broken)).into(),
        _ => Fault::Validation(validate::message(broken)).into(),
    }
}

/// SQS tells of the first parameter that is missing (recorded).
fn sqs(broken: &[Violation]) -> Problem {
    let missing = broken.iter().find(|violation| violation.constraint == NOT_NULL);
    let Some(violation) = missing else {
        return Fault::Validation(validate::message(broken)).into();
    };
    let mut letters = violation.path.rsplit('.').next().unwrap_or_default().chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let name: String = first.chain(letters).collect();
    let told = format!("The request must contain the parameter {name}.");
    Problem::modelled("MissingRequiredParameterException", 400, told)
        .with_query_code("MissingParameter")
}

fn organizations(broken: &[Violation]) -> Problem {
    let message = validate::message(broken);
    match REASONS.iter().find(|(words, _, _)| message.contains(words)) {
        Some((_, reason, told)) => {
            Problem::modelled("InvalidInputException", 400, (*told).to_owned())
                .with_message_member("Message")
                .with("Reason", (*reason).to_owned())
        }
        None => Fault::Validation(message).into(),
    }
}

/// IAM shows no values and no enumerations (recorded in 2025 and 2026), and says of some members what they may hold.
fn iam(broken: &[Violation]) -> String {
    let sentence = |violation: &Violation| {
        let path = violation.path.as_str();
        let of_pattern = violation.constraint.starts_with(PATTERN);
        let (_, says) = SENTENCES.iter().find(|(names, _)| of_pattern && names.contains(&path))?;
        Some(format!("The specified value for {path} is invalid. {says}"))
    };
    broken.iter().find_map(sentence).unwrap_or_else(|| {
        let told: Vec<Violation> = broken.iter().map(without_value).collect();
        validate::message(&told)
    })
}

fn without_value(violation: &Violation) -> Violation {
    let mut constraint = violation.constraint.clone();
    if constraint.starts_with(ENUMERATION) {
        constraint.truncate(ENUMERATION.len());
    }
    // The keys of tags are the one list of texts whose items AWS says must be there.
    if violation.path == "tagKeys" && constraint.ends_with(']') && constraint.contains(": [") {
        constraint.truncate(constraint.len() - 1);
        constraint.push_str(&format!(", {NOT_NULL}]"));
    }
    Violation { value: String::new(), path: violation.path.clone(), constraint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breach(path: &str, constraint: &str) -> Violation {
        let value = "'x'".to_owned();
        Violation { value, path: path.to_owned(), constraint: constraint.to_owned() }
    }

    fn told(service: &str, broken: &[Violation]) -> String {
        let body = problem(service, broken).body(Protocol::Json11, "", "");
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn sqs_names_the_parameter_that_is_missing() {
        let problem = problem("sqs", &[breach("messageBody", NOT_NULL)]);
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
        let broken = |constraint: &str| told("organizations", &[breach("y", constraint)]);
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
    fn iam_shows_no_values_and_names_what_paths_and_names_may_hold() {
        let pattern = "Member must satisfy regular expression pattern: [a]+";
        let path = told("iam", &[breach("tags", NOT_NULL), breach("path", pattern)]);
        assert!(
            path.contains(
                "\"The specified value for path is invalid. It must begin and end with / and \
                 contain only alphanumeric characters and/or / characters.\""
            ),
            "{path}"
        );
        let long = told("iam", &[breach("path", "Member must have length less")]);
        assert!(long.contains(": Value at 'path' failed to satisfy"), "{long}");
        let version = told("iam", &[breach("versionId", pattern)]);
        assert!(version.contains("1 validation error detected: Value at 'versionId'"), "{version}");
        let keys = told("iam", &[breach("tagKeys", "Member must satisfy constraint: [one, two]")]);
        let one_of = told("iam", &[breach("status", "Member must satisfy enum value set: [A, B]")]);
        assert!(one_of.contains("constraint: Member must satisfy enum value set\""), "{one_of}");
        assert!(keys.contains(": [one, two, Member must not be null]"), "{keys}");
    }

    #[test]
    fn other_services_answer_a_validation_error() {
        let broken = [breach("y", "Member must satisfy regular expression pattern: x")];
        assert_eq!(problem("kms", &broken).code(Protocol::Json11), "ValidationException");
        assert!(told("kms", &broken).contains("Value 'x' at 'y'"));
    }
}
