//! What a simulation may be asked for, and the refusals of the rest.

use haechi_core::AccountId;
use haechi_iam_model::Error;

use super::is_kind;
use crate::entity::EntityKind;

/// What `ResourceHandlingOption` may say (API reference). Only EC2's `RunInstances` differs by it.
const HANDLING_OPTIONS: [&str; 6] = [
    "EC2-VPC-InstanceStore",
    "EC2-VPC-InstanceStore-Subnet",
    "EC2-VPC-EBS",
    "EC2-VPC-EBS-Subnet",
    "EC2-Classic-InstanceStore",
    "EC2-Classic-EBS",
];

fn refused<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::InvalidInputException(message.into()))
}

/// Refuses a scenario of EC2 that there is none of, actions of no service, and resources that are
/// not ARNs. An action with a wildcard in it is taken by its letters, as AWS does.
pub(crate) fn check(
    handling: Option<&str>,
    actions: &[String],
    resources: Option<&[String]>,
) -> Result<(), Error> {
    if let Some(option) = handling.filter(|option| !HANDLING_OPTIONS.contains(option)) {
        return refused(format!("Invalid resource handling option: {option}"));
    }
    if !actions.iter().all(|action| action.contains(':')) {
        return refused("The action is invalid since it is missing names");
    }
    match resources.unwrap_or_default().iter().find(|resource| !is_resource(resource)) {
        Some(one) => refused(format!("ResourceNames are not in a valid ARN format: {one}.")),
        None => Ok(()),
    }
}

/// An ARN, which may have wildcards in it, or `*`.
fn is_resource(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_arn = matches!(
        parts.as_slice(),
        ["arn", partition, service, _, _, rest]
            if !partition.is_empty() && !service.is_empty() && !rest.is_empty()
    );
    text == "*" || is_arn
}

/// The account that owns what names no account: `arn:aws:iam::123456789012:root`.
pub(crate) fn owner(given: Option<&str>) -> Result<Option<AccountId>, Error> {
    let Some(arn) = given else { return Ok(None) };
    let account = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    match account.and_then(AccountId::parse) {
        Some(account) => Ok(Some(account)),
        None => refused(format!("'{arn}' is not a valid as a Resource Owner.")),
    }
}

/// Who calls: `CallerArn`, else the source. A policy of a resource names principals, so it needs one.
pub(crate) fn caller(
    given: Option<String>,
    source: Option<String>,
    resource_policy: bool,
) -> Result<Option<String>, Error> {
    if given.as_deref().is_some_and(|arn| EntityKind::of_arn(arn).is_err()) {
        return refused(
            "Invalid caller - Caller must be an IAM user, role or group in this context.",
        );
    }
    let own = source.filter(|arn| !resource_policy || is_kind(arn, "user/"));
    match given.or(own) {
        None if resource_policy => refused("CallerArn is required if a ResourcePolicy is given."),
        caller => Ok(caller),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T>(outcome: Result<T, Error>) -> Option<String> {
        match outcome {
            Err(Error::InvalidInputException(message)) => Some(message),
            _ => None,
        }
    }

    #[test]
    fn resources_are_arns_or_everything() {
        let asked = |resource: &str| check(None, &[], Some(&[resource.to_owned()]));
        for good in
            ["*", "arn:aws:s3:::b/*", "arn:aws:sqs:us-east-1:123456789012:q", "arn:*:s3:::b"]
        {
            assert!(asked(good).is_ok(), "{good}");
        }
        for bad in ["foo", "arn:aws:s3", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b", ""] {
            let expected = format!("ResourceNames are not in a valid ARN format: {bad}.");
            assert_eq!(message(asked(bad)), Some(expected));
        }
    }

    #[test]
    fn actions_name_their_service() {
        let asked = |action: &str| check(None, &[action.to_owned()], None);
        assert!(asked("s3:GetObject").is_ok());
        let expected = "The action is invalid since it is missing names";
        assert_eq!(message(asked("GetObject")).as_deref(), Some(expected));
    }

    #[test]
    fn an_owner_is_the_arn_of_an_account() {
        let found = owner(Some("arn:aws:iam::123456789012:root")).ok().flatten();
        assert_eq!(found, AccountId::parse("123456789012"));
        assert!(matches!(owner(None), Ok(None)));
        for bad in ["222222222222", "arn:aws:iam::12:root", "arn:aws:iam::123456789012:user/a"] {
            let expected = format!("'{bad}' is not a valid as a Resource Owner.");
            assert_eq!(message(owner(Some(bad))), Some(expected));
        }
    }

    #[test]
    fn sessions_federated_users_services_and_root_users_cannot_be_the_caller() {
        for bad in [
            "arn:aws:sts::123456789012:assumed-role/r/s",
            "arn:aws:sts::123456789012:federated-user/f",
            "lambda.amazonaws.com",
            "arn:aws:iam::123456789012:root",
        ] {
            let refusal = message(caller(Some(bad.to_owned()), None, false));
            assert!(refusal.is_some_and(|text| text.starts_with("Invalid caller")), "{bad}");
        }
        let user = Some("arn:aws:iam::123456789012:user/a/bob".to_owned());
        assert_eq!(caller(user.clone(), None, true).ok().flatten(), user);
    }
}
