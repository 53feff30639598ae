//! What a caller may name a key by: key id, key ARN, alias name, alias ARN.
//!
//! Source: Developer Guide, "Key identifiers (KeyId)"; messages as recorded from AWS.

use haechi_core::{AccountId, Cx};
use haechi_kms_model::Error;

/// A name of a key, taken apart. Nothing is known yet of whether it exists.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Identifier<'a> {
    Key { account: &'a str, id: &'a str },
    Alias { account: &'a str, name: &'a str },
}

impl<'a> Identifier<'a> {
    /// Reads a `KeyId`. Short forms mean the caller's account; the Region is always the call's.
    pub(crate) fn parse(cx: &'a Cx, text: &'a str) -> Result<Identifier<'a>, Error> {
        let account = cx.account().as_str();
        match text.strip_prefix("arn:") {
            Some(rest) => parse_arn(cx, text, rest),
            None if text.starts_with("alias/") => Ok(Identifier::Alias { account, name: text }),
            None => Ok(Identifier::Key { account, id: key_id(text)? }),
        }
    }
}

/// `<partition>:kms:<region>:<account>:key/<id>` or `…:alias/<name>`.
fn parse_arn<'a>(cx: &Cx, text: &str, rest: &'a str) -> Result<Identifier<'a>, Error> {
    let invalid = || Error::InvalidArnException(format!("Invalid arn {text}"));
    let mut parts = rest.splitn(5, ':');
    let mut part = || parts.next().ok_or_else(invalid);
    let (partition, service, region, account) = (part()?, part()?, part()?, part()?);
    let resource = part()?;
    if service != "kms" || AccountId::parse(account).is_none() {
        return Err(invalid());
    }
    if region != cx.region.as_str() {
        return Err(Error::NotFoundException(format!("Invalid arn {region}")));
    }
    if partition != cx.region.partition() {
        return Err(invalid());
    }
    match resource.strip_prefix("key/") {
        Some(id) => Ok(Identifier::Key { account, id: key_id(id)? }),
        None if resource.starts_with("alias/") => Ok(Identifier::Alias { account, name: resource }),
        None => Err(invalid()),
    }
}

/// A UUID, or the `mrk-…` of a multi-Region key.
fn key_id(text: &str) -> Result<&str, Error> {
    let valid = match text.strip_prefix("mrk-") {
        Some(id) => id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => {
            text.len() == 36
                && text.bytes().enumerate().all(|(index, byte)| match index {
                    8 | 13 | 18 | 23 => byte == b'-',
                    _ => byte.is_ascii_hexdigit(),
                })
        }
    };
    if valid { Ok(text) } else { Err(Error::NotFoundException(format!("Invalid keyId '{text}'"))) }
}

/// The ARN of a resource of KMS in the call's Region.
pub(crate) fn arn(cx: &Cx, account: &str, resource: &str) -> String {
    format!("arn:{}:kms:{}:{account}:{resource}", cx.region.partition(), cx.region)
}
