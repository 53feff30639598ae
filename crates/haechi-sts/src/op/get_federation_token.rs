//! Temporary credentials for someone whom the calling user vouches for: no more than the session
//! policies and the user's own allow.

use haechi_core::{Ask, Cx, Handle, SessionHolder};
use haechi_policy::{Context, Principal, ResourceRule, Values};
use haechi_sts_model::Error;
use haechi_sts_model::ops::GetFederationToken;
use haechi_sts_model::shapes::{
    FederatedUser, GetFederationTokenRequest, GetFederationTokenResponse, Tag,
};

use crate::Sts;
use crate::issue::Wish;
use crate::op::lifetime;
use crate::tags;

impl Handle<GetFederationToken> for Sts {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFederationTokenRequest,
    ) -> Result<GetFederationTokenResponse, Error> {
        let (account, name) = (cx.account(), input.name);
        let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
        let given = input.tags.unwrap_or_default();
        lifetime::check_long_term(cx)?;
        let keys = given.iter().map(|tag| tag.key.clone()).collect();
        let context = Conditions { tags: &given, keys };
        let mut actions = vec![cx.operation.action];
        if !given.is_empty() {
            actions.push("sts:TagSession");
        }
        for action in actions {
            cx.authorize(&Ask {
                action,
                resource: &arn,
                resource_account: account.as_str(),
                policy: None,
                rule: ResourceRule::Union,
                context: &context,
            })?;
        }
        let tags = tags::of_session(&cx.caller, &given, &[])?;
        let policies = self.session_policies(account, input.policy, input.policy_arns).await?;
        let user = match (&cx.caller.principal, &cx.caller.user_name) {
            (Principal::User { unique_id, .. }, Some(name)) => {
                Some((name.clone(), unique_id.clone()))
            }
            _ => None,
        };
        let federated_user_id = format!("{account}:{name}");
        let wish = Wish {
            account,
            holder: SessionHolder::Federated { name, user },
            seconds: lifetime::seconds(cx, input.duration_seconds),
            policies,
            tags,
            source_identity: None,
            mfa: None,
            federated_provider: None,
            source_function: None,
        };
        let issued = self.issue(cx, wish)?;
        Ok(GetFederationTokenResponse {
            credentials: Some(issued.credentials),
            federated_user: Some(FederatedUser { federated_user_id, arn }),
            packed_policy_size: Some(issued.packed_percent.unwrap_or(0)),
            ..GetFederationTokenResponse::default()
        })
    }
}

/// Condition keys of the request.
struct Conditions<'a> {
    tags: &'a [Tag],
    keys: Vec<String>,
}

impl Context for Conditions<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        if key == "aws:tagkeys" {
            return (!self.keys.is_empty()).then(|| Values::many(&self.keys));
        }
        let wanted = key.strip_prefix("aws:requesttag/")?;
        let found = self.tags.iter().find(|tag| tag.key.to_lowercase() == wanted);
        found.map(|tag| Values::one(&tag.value))
    }
}
