//! Who may ask an organization, and change it.
//!
//! The management account's principals may do what their policies allow. In member accounts the
//! same is asked first, and then whether the operation is one for everyone, for administrators that
//! the organization delegated (they read), or one that the organization's resource policy allows.
//!
//! Source: User Guide, "Delegated administrator", "Resource-based policy examples".

use std::sync::Arc;

use haechi_core::facts::named;
use haechi_core::{Ask, Cx, Operation};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::TagResource;
use haechi_organizations_model::shapes::Tag;
use haechi_policy::{Context, Document, ResourceRule, Values};
use haechi_wire::{Fault, OperationSchema};

use crate::Organizations;
use crate::error::{no_access, not_in_use};
use crate::organization::Organization;
use crate::store::Tags;

/// Whom an operation is for, beside the management account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Each account of the organization.
    Everyone,
    /// Delegated administrators.
    Readers,
    /// Nobody.
    Management,
}

/// Operations that a resource policy of the organization can delegate, beside those for readers.
const DELEGABLE: &[&str] = &[
    "AttachPolicy",
    "CreatePolicy",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "TagResource",
    "UntagResource",
    "UpdatePolicy",
];

/// What a decision is about.
#[derive(Default)]
pub(crate) struct About {
    /// ARNs of the resources; none: `*`.
    arns: Vec<String>,
    policy_type: Option<String>,
    service: Option<String>,
    request_tags: Tags,
    resource_tags: Tags,
    tag_keys: Vec<String>,
}

impl About {
    /// No resource.
    pub(crate) fn all() -> About {
        About::default()
    }

    /// The roots, units, accounts and policies of these ids, with their tags.
    pub(crate) fn of(organization: &Organization, ids: &[&str]) -> About {
        let tags = |id: &&str| {
            let target = organization.target(id).map(|target| target.hung().tags.clone());
            target.or_else(|| organization.policy(id).map(|policy| policy.tags.clone()))
        };
        About {
            arns: ids.iter().map(|id| organization.arn_of(id)).collect(),
            policy_type: ids.iter().find_map(|id| Some(organization.policy(id)?.kind.clone())),
            resource_tags: ids.iter().find_map(tags).unwrap_or_default(),
            ..About::default()
        }
    }

    /// One resource by its ARN.
    pub(crate) fn arn(arn: String) -> About {
        About { arns: vec![arn], ..About::default() }
    }

    /// `organizations:PolicyType`.
    pub(crate) fn policy_type(mut self, name: &str) -> About {
        self.policy_type = Some(name.to_owned());
        self
    }

    /// `organizations:ServicePrincipal`.
    pub(crate) fn service(mut self, name: &str) -> About {
        self.service = Some(name.to_owned());
        self
    }

    /// Tags in the request.
    pub(crate) fn tags(mut self, tags: &[Tag]) -> About {
        self.request_tags = tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        self.tag_keys = tags.iter().map(|tag| tag.key.clone()).collect();
        self
    }

    /// Keys of tags to be removed.
    pub(crate) fn tag_keys(mut self, keys: &[String]) -> About {
        self.tag_keys = keys.to_vec();
        self
    }
}

fn pairs(tags: &Tags) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

impl Context for About {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        if let Some(name) = key.strip_prefix("aws:requesttag/") {
            return named(pairs(&self.request_tags), name);
        }
        if let Some(name) = key.strip_prefix("aws:resourcetag/") {
            return named(pairs(&self.resource_tags), name);
        }
        match key {
            "aws:tagkeys" if !self.tag_keys.is_empty() => Some(Values::many(&self.tag_keys)),
            "organizations:policytype" => self.policy_type.as_deref().map(Values::one),
            "organizations:serviceprincipal" => self.service.as_deref().map(Values::one),
            _ => None,
        }
    }
}

impl Organizations {
    /// The caller's organization, if the caller may do the operation on what it is about.
    pub(crate) async fn admit(
        &self,
        cx: &Cx,
        reach: Reach,
        about: impl FnOnce(&Organization) -> About + Send,
    ) -> Result<Arc<Organization>, Error> {
        let Some(organization) = self.organization_of(cx.account().as_str()).await? else {
            cx.authorize_any()?;
            return Err(not_in_use());
        };
        organization.admit(cx, cx.operation, reach, &about(&organization))?;
        Ok(organization)
    }
}

impl Organization {
    /// Whether the caller may do an operation on what it is about.
    fn admit(
        &self,
        cx: &Cx,
        operation: &OperationSchema,
        reach: Reach,
        about: &About,
    ) -> Result<(), Error> {
        let account = cx.account().as_str();
        ask(cx, operation.action, about, account, None)?;
        let open =
            reach == Reach::Everyone || (reach == Reach::Readers && self.is_delegated(account));
        if account == self.management() || open {
            return Ok(());
        }
        let delegable = reach == Reach::Readers || DELEGABLE.contains(&operation.name);
        let Some(policy) = self.record().resource_policy.as_ref().filter(|_| delegable) else {
            return Err(no_access());
        };
        let document = policy.principals.compile(&policy.content)?;
        ask(cx, operation.action, about, self.management(), Some(&document))
            .map_err(|_| no_access())
    }

    /// Whether the caller may also put the tags that come with what the call makes: policies trust
    /// them to be set by none but those who may do `TagResource`.
    pub(crate) fn admit_tags(&self, cx: &Cx, made: &About) -> Result<(), Error> {
        if made.request_tags.is_empty() {
            return Ok(());
        }
        self.admit(cx, TagResource::SCHEMA, Reach::Management, made)
    }
}

/// Asks for each resource, in an account, under a policy.
fn ask(
    cx: &Cx,
    action: &str,
    about: &About,
    resource_account: &str,
    policy: Option<&Arc<Document>>,
) -> Result<(), Fault> {
    let any = ["*".to_owned()];
    let arns = if about.arns.is_empty() { &any[..] } else { &about.arns };
    arns.iter().try_for_each(|resource| {
        let ask = Ask {
            action,
            resource,
            resource_account,
            policy,
            rule: ResourceRule::Union,
            context: about,
        };
        cx.authorize(&ask).map(|_| ())
    })
}
