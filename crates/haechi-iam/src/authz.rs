//! Loading and deciding in one: the only way in which operations come to a user.
//!
//! **Invariant:** whether a user exists is told only to one who may do the operation on its ARN.
//! For a user that does not exist, AWS asks about the ARN that it would have under `/`.

use haechi_core::{Ask, Cx, Loaded};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::Tag;
use haechi_policy::{Context, ResourceRule, Values};
use haechi_wire::Fault;

use crate::Iam;
use crate::store::{UserRecord, user_path};
use crate::user::{self, DEFAULT_PATH};

/// Condition keys of IAM's user operations ("Actions, resources, and condition keys for IAM").
#[derive(Default)]
pub(crate) struct UserContext<'a> {
    /// Of the user, as it is before the operation.
    pub(crate) resource_tags: &'a [(String, String)],
    /// In the request.
    pub(crate) request_tags: &'a [Tag],
    /// Of `request_tags`, or those to be removed.
    pub(crate) tag_keys: &'a [String],
}

impl Context for UserContext<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        if key == "aws:tagkeys" {
            return (!self.tag_keys.is_empty()).then(|| Values::many(self.tag_keys));
        }
        if let Some(wanted) = key.strip_prefix("aws:requesttag/") {
            let found = self.request_tags.iter().find(|tag| same_key(&tag.key, wanted));
            return found.map(|tag| Values::one(&tag.value));
        }
        let of_resource = ["aws:resourcetag/", "iam:resourcetag/"];
        let wanted = of_resource.iter().find_map(|prefix| key.strip_prefix(prefix))?;
        let found = self.resource_tags.iter().find(|(key, _)| same_key(key, wanted));
        found.map(|(_, value)| Values::one(value))
    }
}

fn same_key(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Decides the operation on an ARN of the caller's own account.
pub(crate) fn authorize(cx: &Cx, arn: &str, context: &UserContext<'_>) -> Result<(), Fault> {
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

impl Iam {
    /// A user of the caller's account, on which the caller may do the operation.
    pub(crate) async fn user(&self, cx: &Cx, name: &str) -> Result<Loaded<UserRecord>, Error> {
        self.user_with(cx, name, &[], &[]).await
    }

    /// The same for an operation whose request has tags, or keys of tags.
    pub(crate) async fn user_with(
        &self,
        cx: &Cx,
        name: &str,
        request_tags: &[Tag],
        tag_keys: &[String],
    ) -> Result<Loaded<UserRecord>, Error> {
        let account = cx.account();
        let found = self.database.load::<UserRecord>(&user_path(account, name)).await?;
        let Some(loaded) = found else {
            let context = UserContext { resource_tags: &[], request_tags, tag_keys };
            let arn = user::arn(account, DEFAULT_PATH, name);
            authorize(cx, &arn, &context)?;
            user::note(cx, &arn);
            return Err(user::not_found(name));
        };
        let resource_tags = &loaded.value.tags;
        let context = UserContext { resource_tags, request_tags, tag_keys };
        let arn = loaded.value.arn(account);
        user::note(cx, &arn);
        authorize(cx, &arn, &context)?;
        Ok(loaded)
    }
}
