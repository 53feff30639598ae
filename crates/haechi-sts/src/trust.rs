//! What trust policies of roles are asked: the condition keys of "Actions, resources, and condition
//! keys for AWS Security Token Service", however the role is assumed.

use haechi_core::{AccountId, AssumableRole};
use haechi_policy::{Context, Values};
use haechi_sts_model::Error;
use haechi_sts_model::shapes::Tag;
use haechi_wire::Fault;
use serde_json::Value;

use crate::web_identity::Verified;

/// Refuses what is no ARN, in AWS's words.
pub(crate) fn check_arn(arn: &str) -> Result<(), Error> {
    let mut parts = arn.splitn(6, ':');
    let has = |part: Option<&str>| part.is_some_and(|text| !text.is_empty());
    let begins = parts.next() == Some("arn") && has(parts.next()) && has(parts.next());
    // Region and account may be empty as far as the form goes.
    if begins && parts.nth(1).is_some() && has(parts.next()) {
        return Ok(());
    }
    Err(Fault::Validation(format!("{arn} is invalid")).into())
}

/// The account that an ARN names.
pub(crate) fn account(arn: &str) -> Option<AccountId> {
    arn.split(':').nth(4).and_then(AccountId::parse)
}

/// The condition keys of one request.
pub(crate) struct Conditions<'a> {
    pub(crate) external_id: Option<&'a str>,
    pub(crate) duration_seconds: Option<i32>,
    pub(crate) source_identity: Option<&'a str>,
    pub(crate) token: Option<&'a Verified>,
    pub(crate) role: &'a AssumableRole,
    pub(crate) session_name: &'a str,
    pub(crate) tags: &'a [Tag],
    pub(crate) transitive_keys: &'a [String],
    /// Of the tags that are given.
    pub(crate) keys: Vec<String>,
}

impl<'a> Conditions<'a> {
    pub(crate) fn new(
        role: &'a AssumableRole,
        session_name: &'a str,
        tags: &'a [Tag],
        transitive_keys: &'a [String],
    ) -> Conditions<'a> {
        Conditions {
            external_id: None,
            duration_seconds: None,
            source_identity: None,
            token: None,
            role,
            session_name,
            tags,
            transitive_keys,
            keys: tags.iter().map(|tag| tag.key.clone()).collect(),
        }
    }

    /// `token.actions.githubusercontent.com:sub` and its like: claims of the token, under the name
    /// of its provider.
    fn of_token(&self, key: &str) -> Option<Values<'_>> {
        let token = self.token?;
        let provider = token.provider.url.to_lowercase();
        let name = key.strip_prefix(provider.as_str())?.strip_prefix(':')?;
        match name {
            "aud" => return Some(Values::many(&token.audiences)),
            "oaud" if token.claims.claim("azp").is_some() => {
                return token.claims.texts("aud").map(|texts| Values::Many(texts.into()));
            }
            _ => {}
        }
        // The claim of exactly this name counts before one that differs in case.
        let exact = token.claims.claim(name);
        let similar = || token.claims.all().find(|(own, _)| own.to_lowercase() == name);
        match exact.or_else(|| similar().map(|(_, value)| value))? {
            Value::String(text) => Some(Values::one(text)),
            Value::Number(number) => Some(Values::owned(number.to_string())),
            Value::Bool(is_so) => Some(Values::owned(is_so.to_string())),
            Value::Array(items) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                let texts: Vec<String> = texts.collect::<Option<_>>()?;
                (!texts.is_empty()).then(|| Values::Many(texts.into()))
            }
            Value::Null | Value::Object(_) => None,
        }
    }
}

impl Context for Conditions<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        if let Some(wanted) = key.strip_prefix("aws:requesttag/") {
            let found = self.tags.iter().find(|tag| tag.key.to_lowercase() == wanted);
            return found.map(|tag| Values::one(&tag.value));
        }
        match key {
            "sts:externalid" => return self.external_id.map(Values::one),
            "sts:rolesessionname" => return Some(Values::one(self.session_name)),
            "sts:sourceidentity" => return self.source_identity.map(Values::one),
            "sts:durationseconds" => {
                return self.duration_seconds.map(|seconds| Values::owned(seconds.to_string()));
            }
            "sts:transitivetagkeys" => {
                let keys = self.transitive_keys;
                return (!keys.is_empty()).then(|| Values::many(keys));
            }
            "aws:tagkeys" => return (!self.keys.is_empty()).then(|| Values::many(&self.keys)),
            _ => {}
        }
        let of_role = ["aws:resourcetag/", "iam:resourcetag/"];
        if let Some(wanted) = of_role.iter().find_map(|prefix| key.strip_prefix(prefix)) {
            let found = self.role.tags.iter().find(|(key, _)| key.to_lowercase() == wanted);
            return found.map(|(_, value)| Values::one(value));
        }
        self.of_token(key)
    }
}
