//! Condition keys of Parameter Store, and decisions with them.
//!
//! Source: Service Authorization Reference, "AWS Systems Manager"; User Guide, "Preventing access
//! to Parameter Store API operations".

use haechi_core::facts::{named, tagged};
use haechi_core::{Ask, Cx, Permit};
use haechi_policy::{Context, ResourceRule, Values};
use haechi_ssm_model::shapes::Tag;
use haechi_wire::Fault;

use crate::store::ParameterRecord;

/// What is asked for: an action on a parameter, a path or a list.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) arn: &'a str,
    pub(crate) account: &'a str,
    /// The parameter, if it is there.
    pub(crate) parameter: Option<&'a ParameterRecord>,
    /// Tags to be set.
    pub(crate) tags: &'a [Tag],
    /// Tags to be removed.
    pub(crate) tag_keys: &'a [String],
    /// `ssm:Overwrite` and the like, in small letters.
    pub(crate) flags: &'a [(&'static str, bool)],
}

impl<'a> Wanted<'a> {
    /// An action that is about nothing but the parameter.
    pub(crate) fn on(
        arn: &'a str,
        account: &'a str,
        parameter: Option<&'a ParameterRecord>,
    ) -> Wanted<'a> {
        Wanted { arn, account, parameter, tags: &[], tag_keys: &[], flags: &[] }
    }

    /// Decides the operation's own action.
    pub(crate) fn allow(&self, cx: &Cx) -> Result<Permit, Fault> {
        self.allow_action(cx, cx.operation.action)
    }

    /// Decides another action.
    pub(crate) fn allow_action(&self, cx: &Cx, action: &str) -> Result<Permit, Fault> {
        let shared = self.parameter.and_then(|record| record.resource_policy.as_ref());
        let document = shared.map(|policy| policy.principals.compile(&policy.text)).transpose()?;
        cx.authorize(&Ask {
            action,
            resource: self.arn,
            resource_account: self.account,
            policy: document.as_ref(),
            rule: ResourceRule::Union,
            context: self,
        })
    }
}

impl Context for Wanted<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        let resource_tag =
            key.strip_prefix("aws:resourcetag/").or_else(|| key.strip_prefix("ssm:resourcetag/"));
        if let Some(name) = resource_tag {
            return tagged(&self.parameter?.tags, name);
        }
        if let Some(name) = key.strip_prefix("aws:requesttag/") {
            let pairs = self.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
            return named(pairs, name);
        }
        if key == "aws:tagkeys" && !(self.tags.is_empty() && self.tag_keys.is_empty()) {
            let set = self.tags.iter().map(|tag| tag.key.clone());
            return Some(Values::Many(set.chain(self.tag_keys.iter().cloned()).collect()));
        }
        let (_, value) = self.flags.iter().find(|(name, _)| *name == key)?;
        Some(Values::one(if *value { "true" } else { "false" }))
    }
}
