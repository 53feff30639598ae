//! From an unchecked secret to a secret and a permit, with the condition keys of Secrets Manager.
//!
//! Source: Service Authorization Reference, "AWS Secrets Manager".

use haechi_core::facts::{named, tagged};
use haechi_core::{Ask, Cx, Permit, Unchecked};
use haechi_policy::{Context, Denial, Kind, ResourceRule, Values};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::shapes::Tag;
use haechi_wire::Fault;

use crate::draft::Draft;
use crate::name::{SUFFIX_LENGTH, SecretId, arn};
use crate::store::{Found, Secret};
use crate::words;

/// What the request says that conditions may ask about.
#[derive(Default)]
pub(crate) struct Facts<'a> {
    /// Condition keys without their prefix, in small letters, each with its value.
    pub(crate) pairs: Vec<(&'static str, String)>,
    /// Tags to be set.
    pub(crate) tags: &'a [Tag],
    /// Tags to be removed.
    pub(crate) tag_keys: &'a [String],
    /// `AddReplicaRegions`.
    pub(crate) regions: Vec<String>,
}

impl Facts<'_> {
    /// Adds a condition key, if the request has it.
    #[must_use]
    pub(crate) fn with(mut self, key: &'static str, value: Option<impl ToString>) -> Self {
        self.pairs.extend(value.map(|value| (key, value.to_string())));
        self
    }
}

fn pair(tag: &Tag) -> Option<(&str, &str)> {
    Some((tag.key.as_deref()?, tag.value.as_deref().unwrap_or_default()))
}

/// The tag that a condition asks for of a secret.
fn resource_tag(key: &str) -> Option<&str> {
    key.strip_prefix("aws:resourcetag/").or_else(|| key.strip_prefix("secretsmanager:resourcetag/"))
}

impl Context for Facts<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        let tag = key.strip_prefix("aws:requesttag/");
        // Of a secret that is to be made: they will be its own.
        let tag = tag.or_else(|| resource_tag(key));
        if let Some(name) = tag {
            return named(self.tags.iter().filter_map(pair), name);
        }
        if key == "aws:tagkeys" {
            let added = self.tags.iter().filter_map(|tag| tag.key.clone());
            return Some(Values::Many(added.chain(self.tag_keys.iter().cloned()).collect()));
        }
        let own = key.strip_prefix("secretsmanager:")?;
        if own == "addreplicaregions" {
            return (!self.regions.is_empty()).then(|| Values::many(&self.regions));
        }
        let found = self.pairs.iter().find(|(name, _)| *name == own);
        found.map(|(_, value)| Values::one(value))
    }
}

/// A secret with everything that the decision about it depends on.
struct Access<'a, S> {
    found: Found<S>,
    facts: Facts<'a>,
}

impl<S: AsRef<Secret>> Context for Access<'_, S> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        let record = &self.found.secret.as_ref().record;
        if let Some(name) = resource_tag(key) {
            return tagged(&record.tags, name);
        }
        match key {
            "secretsmanager:secretid" => Some(Values::one(&record.arn)),
            "secretsmanager:resource/allowrotationlambdaarn" => {
                record.rotation.as_ref().map(|rotation| Values::one(&rotation.lambda_arn))
            }
            "secretsmanager:secretprimaryregion" => {
                Some(Values::one(record.primary_region.as_ref().unwrap_or(&record.region)))
            }
            _ => self.facts.values(key),
        }
    }
}

/// Decides the call's own action on a secret.
pub(crate) fn admit<S: AsRef<Secret> + Send + Sync>(
    cx: &Cx,
    found: Unchecked<Found<S>>,
    facts: Facts<'_>,
) -> Result<(S, Permit), Error> {
    admit_action(cx, cx.operation.action, found, facts)
}

/// Decides the call's own action once more, on a secret with the tags that it is to have: nobody
/// takes his own permissions away.
pub(crate) fn admit_tagged(
    cx: &Cx,
    secret: Draft,
    given: String,
    facts: Facts<'_>,
) -> Result<(Draft, Permit), Error> {
    admit(cx, Unchecked::new(Found { secret, given }), facts)
}

/// Decides an action on a secret.
pub(crate) fn admit_action<S: AsRef<Secret> + Send + Sync>(
    cx: &Cx,
    action: &str,
    found: Unchecked<Found<S>>,
    facts: Facts<'_>,
) -> Result<(S, Permit), Error> {
    let mut given = String::new();
    let decided = found.map(|found| Access { found, facts }).decide(cx, |access| {
        given.clone_from(&access.found.given);
        let secret = access.found.secret.as_ref();
        Ask {
            action,
            resource: &secret.record.arn,
            resource_account: &secret.record.account,
            policy: secret.policy.as_ref(),
            rule: ResourceRule::Union,
            context: access,
        }
    });
    match decided {
        Ok((access, permit)) => {
            access.found.secret.as_ref().record.note(cx);
            Ok((access.found.secret, permit))
        }
        Err(denied) => Err(denied_on(cx, action, &given, denied.denial).into()),
    }
}

/// A denial tells the secret as the caller named it: so it does not tell whether it is there.
fn denied_on(cx: &Cx, action: &str, given: &str, denial: Denial) -> Fault {
    let (caller, reason) = (cx.caller.arn(), denial.reason(action));
    Fault::AccessDenied(format!(
        "User: {caller} is not authorized to perform: {action} on resource: {given} {reason}"
    ))
}

/// Decides an action on a secret that is to be made.
pub(crate) fn admit_new(
    cx: &Cx,
    action: &str,
    arn: &str,
    name: &str,
    facts: &Facts<'_>,
) -> Result<Permit, Error> {
    let ask = Ask {
        action,
        resource: arn,
        resource_account: cx.account().as_str(),
        policy: None,
        rule: ResourceRule::Union,
        context: facts,
    };
    cx.decide(&ask).map_err(|denied| denied_on(cx, action, name, denied.denial).into())
}

/// What a secret that is not there answers: to a caller who might not see it either, the denial.
pub(crate) fn missing(cx: &Cx, action: &str, id: &SecretId, given: &str) -> Error {
    let end = id.suffix.clone().unwrap_or_else(|| "?".repeat(SUFFIX_LENGTH));
    let arn = arn(&cx.region, &id.account, &id.name, &end);
    let facts = Facts::default().with("secretid", Some(&arn));
    let decided = cx.decide(&Ask {
        action,
        resource: &arn,
        resource_account: &id.account,
        policy: None,
        rule: ResourceRule::Union,
        context: &facts,
    });
    match decided {
        Ok(_) if id.account == cx.account().as_str() => words::not_found(),
        Ok(_) => denied_on(cx, action, given, Denial::new(Kind::Resource, false)).into(),
        Err(denied) => denied_on(cx, action, given, denied.denial).into(),
    }
}
