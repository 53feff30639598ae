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

/// `*`, or an ARN whose service is written out. A partition may be `*`.
pub(super) fn resource(text: &str) -> Result<()> {
    if text == "*" {
        return Ok(());
    }
    let Some(("arn", rest)) = text.split_once(':') else {
        return Err(ParseError::ResourceNotArn { resource: text.to_owned() });
    };
    let Some((partition, rest)) = rest.split_once(':') else {
        // `arn:*`, which some policies have, means every ARN.
        return match rest {
            "*" => Ok(()),
            _ => Err(ParseError::ResourceVendor { resource: text.to_owned() }),
        };
    };
    let known = partition == "*"
        || partition == "aws"
        || partition.strip_prefix("aws-").is_some_and(|rest| !rest.is_empty());
    if !known {
        let mut parts = rest.splitn(4, ':');
        let mut part = || parts.next().filter(|text| !text.is_empty()).unwrap_or("*");
        let resource = format!("arn:{partition}:{}:{}:{}:{}", part(), part(), part(), part());
        return Err(ParseError::InvalidPartition { partition: partition.to_owned(), resource });
    }
    let service = rest.split(':').next().unwrap_or_default();
    if service.is_empty() {
        return Err(ParseError::ResourceVendor { resource: text.to_owned() });
    }
    Ok(())
}

/// `service:name`; the name may hold anything (`kms:EncryptionContext:a:b`).
pub(super) fn condition_key(text: &str) -> Result<()> {
    match text.split_once(':') {
        Some((vendor, name)) if !vendor.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(ParseError::MissingVendor { text: text.to_owned() }),
    }
}
