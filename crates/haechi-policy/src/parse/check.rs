//! How actions, resources and condition keys must be written.

use crate::{Kind, ParseError};

use super::Result;

/// The actions by which a role is assumed, and those that a session may need with them.
const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:setsourceidentity",
    "sts:tagsession",
    "sts:setcontext",
];

/// `*`, or `service:name` with wildcards in the name.
pub(super) fn action(text: &str, kind: Kind) -> Result<()> {
    let too_many = || ParseError::TooManyColons { text: text.to_owned() };
    match text.split_once(':') {
        None if text == "*" => {}
        None => return Err(ParseError::MissingVendor { text: text.to_owned() }),
        Some((_, name)) if name.contains(':') => return Err(too_many()),
        Some((vendor, _)) => {
            let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            if vendor != "*" && (vendor.is_empty() || !vendor.bytes().all(valid)) {
                return Err(ParseError::InvalidVendor { vendor: vendor.to_owned() });
            }
        }
    }
    if kind == Kind::Trust {
        let lower = text.to_ascii_lowercase();
        let wildcard = lower.contains(['*', '?']) && lower.starts_with("sts:");
        if !wildcard && !TRUST_ACTIONS.contains(&lower.as_str()) {
            return Err(ParseError::NotAssumeRole { action: text.to_owned() });
        }
    }
    Ok(())
}

/// What the last part of an ARN of IAM begins with.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// `*`, or an ARN whose service is written out. A partition may be `*`. IAM takes what stands before
/// the first colon for `arn`, whatever it is.
pub(super) fn resource(text: &str) -> Result<()> {
    if text == "*" {
        return Ok(());
    }
    let Some((_, rest)) = text.split_once(':') else {
        return Err(ParseError::ResourceNotArn { resource: text.to_owned() });
    };
    let Some((partition, rest)) = rest.split_once(':') else {
        // `arn:*`, which some policies have, means every ARN.
        return match rest {
            "*" => Ok(()),
            known if is_partition(known) => {
                Err(ParseError::ResourceVendor { resource: text.to_owned() })
            }
            other => Err(unknown_partition(other, "*:*:*:*")),
        };
    };
    if !is_partition(partition) {
        let parts: Vec<&str> = rest.splitn(4, ':').collect();
        let missing = std::iter::repeat_n("*", 4_usize.saturating_sub(parts.len()));
        let rest: Vec<&str> = parts.iter().copied().chain(missing).collect();
        return Err(unknown_partition(partition, &rest.join(":")));
    }
    let mut parts = rest.splitn(4, ':');
    let service = parts.next().unwrap_or_default();
    let (region, name) = (parts.next().unwrap_or_default(), parts.nth(1));
    // Without all parts it is for the second parser to say.
    if let Some(name) = name {
        if !region.is_empty() && (service == "iam" || service == "s3") {
            return no_region(service, name, text);
        }
        if service == "iam" {
            return iam_path(name);
        }
    }
    Ok(())
}

fn is_partition(text: &str) -> bool {
    let of_aws = text.strip_prefix("aws-").is_some_and(|rest| !rest.is_empty());
    text == "*" || text == "aws" || of_aws
}

fn unknown_partition(partition: &str, rest: &str) -> ParseError {
    let resource = format!("arn:{partition}:{rest}");
    ParseError::InvalidPartition { partition: partition.to_owned(), resource }
}

/// IAM and S3 know no Regions, but for S3's access points.
fn no_region(service: &str, name: &str, text: &str) -> Result<()> {
    match service {
        "s3" if name.starts_with("accesspoint/") => Ok(()),
        "s3" => Err(ParseError::ResourceRegion { resource: text.to_owned() }),
        _ => Err(ParseError::IamResourceRegion { resource: text.to_owned() }),
    }
}

fn iam_path(name: &str) -> Result<()> {
    // What a wildcard stands for is not known.
    let head = name.split('/').next().unwrap_or_default();
    let is_known = name == "root" || IAM_PATHS.iter().any(|path| name.starts_with(path));
    if is_known || head.contains(['*', '?', '$']) {
        return Ok(());
    }
    Err(ParseError::IamResourcePath { known: IAM_PATHS.join(", ") })
}

/// An ARN has six parts and names its service: only IAM's second parser looks.
pub(super) fn resource_parts(text: &str) -> Result<()> {
    let whole = text.split(':').count() > 5 || !text.contains("::");
    let has_service = text.split(':').nth(2).is_none_or(|service| !service.is_empty());
    if text == "*" || (whole && has_service) {
        return Ok(());
    }
    Err(ParseError::legacy(format!("Resource {text:?}")))
}
