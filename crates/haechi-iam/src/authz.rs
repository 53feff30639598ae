//! Loading and deciding in one: the only way in which operations come to a user, group or role.
//!
//! **Invariant:** whether one exists is told only to one who may do the operation on its ARN. For
//! one that does not exist, AWS asks about the ARN that it would have under `/`.

use haechi_core::facts::named;
use haechi_core::{Ask, Cx, Loaded, Operation};
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
    cx.authorize(&Ask {
        action: cx.operation.action,
        resource: arn,
        resource_account: cx.account().as_str(),
        policy: None,
        rule: ResourceRule::Union,
        context,
    })
    .map(|_| ())
}

/// The same of an operation that creates what the ARN names. With tags it needs the action of
/// `Tagging` too: policies trust tags to be set by none but those who may.
pub(crate) fn authorize_creation<Tagging: Operation>(
    cx: &Cx,
    arn: &str,
    context: &Conditions<'_>,
) -> Result<(), Fault> {
    authorize(cx, arn, context)?;
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
        let account = cx.account();
        let Some(loaded) = self.database.load::<E>(&E::place(account, name)).await? else {
            let arn = E::KIND.arn(account, DEFAULT_PATH, name);
            authorize(cx, &arn, &asked)?;
            E::KIND.note(cx, &arn);
            return Err(E::KIND.not_found(name));
        };
        let entity = &loaded.value;
        let boundary = asked.boundary.or(entity.boundary());
        let arn = entity.arn(account);
        E::KIND.note(cx, &arn);
        authorize(cx, &arn, &Conditions { resource_tags: entity.tags(), boundary, ..asked })?;
        Ok(loaded)
    }

    /// A user of the caller's account, likewise.
    pub(crate) async fn user(&self, cx: &Cx, name: &str) -> Result<Loaded<UserRecord>, Error> {
        self.entity(cx, name).await
    }
}
