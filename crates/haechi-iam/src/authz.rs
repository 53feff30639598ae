//! Loading and deciding in one: the only way in which operations come to a user, group or role.
//!
//! **Invariant:** whether one exists is told only to one who may do the operation on its ARN. For
//! one that does not exist, AWS asks about the ARN that it would have under `/`.

use haechi_core::facts::named;
use haechi_core::{Ask, Cx, Denied, Loaded, Operation, Permit};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::Tag;
use haechi_policy::{Context, ResourceRule, Values};
use haechi_wire::Fault;

use crate::Iam;
use crate::entity::Entity;
use crate::store::UserRecord;
use crate::user::DEFAULT_PATH;

/// Condition keys of IAM's operations ("Actions, resources, and condition keys for IAM").
#[derive(Clone, Copy, Default)]
pub(crate) struct Conditions<'a> {
    /// Of the entity, as it is before the operation.
    pub(crate) resource_tags: &'a [(String, String)],
    /// In the request.
    pub(crate) request_tags: &'a [Tag],
    /// Of `request_tags`, or those to be removed.
    pub(crate) tag_keys: &'a [String],
    /// The managed policy that is attached or detached.
    pub(crate) policy_arn: Option<&'a str>,
    /// The permissions boundary: the one in the request, else the entity's.
    pub(crate) boundary: Option<&'a str>,
    /// The service of a service-linked role.
    pub(crate) service: Option<&'a str>,
    /// Of a role that is passed: the service, and what will have it.
    pub(crate) passed_to: Option<(&'a str, &'a str)>,
    /// The service of a service-specific credential.
    pub(crate) credential_service: Option<&'a str>,
    /// The days that a service-specific credential is to last.
    pub(crate) credential_age_days: Option<i32>,
}

impl Context for Conditions<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        if key == "aws:tagkeys" {
            return (!self.tag_keys.is_empty()).then(|| Values::many(self.tag_keys));
        }
        if let Some(wanted) = key.strip_prefix("aws:requesttag/") {
            let tags = self.request_tags.iter();
            return named(tags.map(|tag| (tag.key.as_str(), tag.value.as_str())), wanted);
        }
        match key {
            "iam:policyarn" => return self.policy_arn.map(Values::one),
            "iam:permissionsboundary" => return self.boundary.map(Values::one),
            "iam:awsservicename" => return self.service.map(Values::one),
            "iam:passedtoservice" => return self.passed_to.map(|(to, _)| Values::one(to)),
            "iam:associatedresourcearn" => return self.passed_to.map(|(_, at)| Values::one(at)),
            "iam:servicespecificcredentialservicename" => {
                return self.credential_service.map(Values::one);
            }
            "iam:servicespecificcredentialagedays" => {
                return self.credential_age_days.map(|days| Values::owned(days.to_string()));
            }
            _ => {}
        }
        let of_resource = ["aws:resourcetag/", "iam:resourcetag/"];
        let wanted = of_resource.iter().find_map(|prefix| key.strip_prefix(prefix))?;
        let tags = self.resource_tags.iter();
        named(tags.map(|(key, value)| (key.as_str(), value.as_str())), wanted)
    }
}

/// Decides the operation on an ARN of the caller's own account.
pub(crate) fn authorize(cx: &Cx, arn: &str, context: &Conditions<'_>) -> Result<(), Fault> {
    Ok(decide(cx, arn, context).map(|_| ())?)
}

/// The same of what AWS names to one who may not by another name than its ARN: `role r1`.
pub(crate) fn authorize_named(
    cx: &Cx,
    (arn, name): (&str, &str),
    context: &Conditions<'_>,
) -> Result<(), Fault> {
    decide(cx, arn, context).map(|_| ()).map_err(|denied| {
        let (caller, action) = (cx.caller.principal.name(), cx.operation.action);
        let reason = denied.denial.reason(action);
        Fault::AccessDenied(format!(
            "User: {caller} is not authorized to perform: {action} on resource: {name} {reason}"
        ))
    })
}

fn decide(cx: &Cx, arn: &str, context: &Conditions<'_>) -> Result<Permit, Denied> {
    cx.decide(&Ask {
        action: cx.operation.action,
        resource: arn,
        resource_account: cx.account().as_str(),
        policy: None,
        rule: ResourceRule::Union,
        context,
    })
}

/// The same of an operation that creates what the ARN names. With tags it needs the action of
/// `Tagging` too.
pub(crate) fn authorize_creation<Tagging: Operation>(
    cx: &Cx,
    arn: &str,
    context: &Conditions<'_>,
) -> Result<(), Fault> {
    authorize(cx, arn, context)?;
    authorize_tags::<Tagging>(cx, arn, context)
}

/// Decides whether the tags of a request may be put on what it creates: policies trust tags to be
/// set by none but those who may.
pub(crate) fn authorize_tags<Tagging: Operation>(
    cx: &Cx,
    arn: &str,
    context: &Conditions<'_>,
) -> Result<(), Fault> {
    if context.request_tags.is_empty() {
        return Ok(());
    }
    cx.authorize_also(Tagging::SCHEMA.action, arn, context).map(|_| ())
}

impl Iam {
    /// A user, group or role of the caller's account, on which the caller may do the operation.
    pub(crate) async fn entity<E: Entity>(&self, cx: &Cx, name: &str) -> Result<Loaded<E>, Error> {
        self.entity_with(cx, name, Conditions::default()).await
    }

    /// The same for an operation whose request has condition keys of its own.
    pub(crate) async fn entity_with<E: Entity>(
        &self,
        cx: &Cx,
        name: &str,
        asked: Conditions<'_>,
    ) -> Result<Loaded<E>, Error> {
        let (account, shown) = (cx.account(), format!("{} {name}", E::KIND.word()));
        let Some(loaded) = self.database.load::<E>(&E::place(account, name)).await? else {
            let arn = E::KIND.arn(account, DEFAULT_PATH, name);
            authorize_named(cx, (&arn, &shown), &asked)?;
            E::KIND.note(cx, &arn);
            return Err(E::KIND.not_found(name));
        };
        let entity = &loaded.value;
        let boundary = asked.boundary.or(entity.boundary());
        let arn = entity.arn(account);
        E::KIND.note(cx, &arn);
        let context = Conditions { resource_tags: entity.tags(), boundary, ..asked };
        authorize_named(cx, (&arn, &shown), &context)?;
        Ok(loaded)
    }

    /// A user of the caller's account, likewise.
    pub(crate) async fn user(&self, cx: &Cx, name: &str) -> Result<Loaded<UserRecord>, Error> {
        self.entity(cx, name).await
    }
}
