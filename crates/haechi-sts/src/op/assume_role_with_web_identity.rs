//! Temporary credentials of a role for whoever has a token of an identity provider that the role
//! trusts. Nobody signs this call: the token is what is verified.

use haechi_core::{
    AccountId, Ask, AssumableRole, Caller, Cx, Handle, PrincipalPolicies, Resource, SessionHolder,
};
use haechi_policy::{Principal, ResourceRule};
use haechi_sts_model::Error;
use haechi_sts_model::ops::AssumeRoleWithWebIdentity;
use haechi_sts_model::shapes::{
    AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse, AssumedRoleUser,
};
use haechi_wire::Fault;

use crate::Sts;
use crate::issue::Wish;
use crate::op::lifetime::check_role_seconds;
use crate::tags;
use crate::trust::{self, Conditions, check_arn};
use crate::web_identity::{Verified, session_tags, source_identity};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Where the caller names no duration, in seconds.
const SECONDS_DEFAULT: i32 = 3600;

impl Handle<AssumeRoleWithWebIdentity> for Sts {
    async fn handle(
        &self,
        cx: &Cx,
        input: AssumeRoleWithWebIdentityRequest,
    ) -> Result<AssumeRoleWithWebIdentityResponse, Error> {
        check_arn(&input.role_arn)?;
        // `ProviderId` is for OAuth 2.0 access tokens of two shops, which nobody can verify offline.
        cx.refuse_parameters(&[
            ("ProviderId", input.provider_id.is_some()),
            ("MinimumSessionTokenSize", input.minimum_session_token_size.is_some()),
        ])?;
        let (Some(web_identity), Some(evidence)) = (&self.web_identity, &self.evidence) else {
            return Err(cx.unsupported().into());
        };
        let account = trust::account(&input.role_arn).ok_or_else(|| denied(ACTION))?;
        let token = &input.web_identity_token.0;
        let token = web_identity.verify(&**evidence, &account, token).await?;
        let call = cx.vouched(vouched(&token, account));
        let (given, transitive) = session_tags(&token.claims)?;
        let source_identity = source_identity(&token.claims)?;
        let Some(role) = self.roles.role(&input.role_arn).await? else {
            return Err(denied(ACTION));
        };
        cx.note(Resource {
            arn: role.arn.clone(),
            account: role.account.to_string(),
            kind: "AWS::IAM::Role",
        });
        let conditions = Conditions {
            duration_seconds: input.duration_seconds,
            source_identity: source_identity.as_deref(),
            token: Some(&token),
            ..Conditions::new(&role, &input.role_session_name, &given, &transitive)
        };
        decide(&call, &role, &conditions, !given.is_empty())?;
        let seconds = input.duration_seconds.unwrap_or(SECONDS_DEFAULT);
        check_role_seconds(&role, seconds)?;
        let tags = tags::of_session(&call.caller, &given, &transitive)?;
        let policies =
            self.session_policies(&role.account, input.policy, input.policy_arns).await?;
        let session_name = input.role_session_name;
        let assumed_role_user = AssumedRoleUser {
            assumed_role_id: format!("{}:{session_name}", role.id),
            arn: format!("arn:aws:sts::{}:assumed-role/{}/{session_name}", role.account, role.name),
        };
        let wish = Wish {
            account: &role.account,
            holder: SessionHolder::Role { name: role.name, id: role.id, session_name },
            seconds,
            policies,
            tags,
            source_identity: source_identity.clone(),
            mfa: None,
            federated_provider: Some(token.provider.arn.clone()),
            source_function: None,
        };
        let issued = self.issue(cx, wish)?;
        Ok(AssumeRoleWithWebIdentityResponse {
            credentials: Some(issued.credentials),
            subject_from_web_identity_token: Some(token.subject),
            assumed_role_user: Some(assumed_role_user),
            packed_policy_size: issued.packed_percent,
            provider: Some(token.provider.arn),
            audience: Some(token.audience),
            source_identity,
            ..AssumeRoleWithWebIdentityResponse::default()
        })
    }
}

/// Who calls, as the token says and CloudTrail records it.
fn vouched(token: &Verified, account: AccountId) -> Caller {
    let provider = token.provider.arn.clone();
    Caller {
        account,
        user_id: format!("{provider}:{}:{}", token.audience, token.subject),
        user_name: Some(token.subject.clone()),
        principal: Principal::Federated { provider },
        policies: PrincipalPolicies::default(),
        ..Caller::anonymous()
    }
}

/// Asks the trust policy for everything that the token wants of the role.
fn decide(
    cx: &Cx,
    role: &AssumableRole,
    conditions: &Conditions<'_>,
    has_tags: bool,
) -> Result<(), Error> {
    let asked = [
        (ACTION, true),
        ("sts:TagSession", has_tags),
        ("sts:SetSourceIdentity", conditions.source_identity.is_some()),
    ];
    for (action, _) in asked.into_iter().filter(|(_, asked)| *asked) {
        let decided = cx.decide(&Ask {
            action,
            resource: &role.arn,
            resource_account: role.account.as_str(),
            policy: Some(&role.trust),
            rule: ResourceRule::RootOfTrust,
            context: conditions,
        });
        decided.map_err(|_| denied(action))?;
    }
    Ok(())
}

/// AWS tells a stranger neither the role nor the policy.
fn denied(action: &str) -> Error {
    Fault::AccessDenied(format!("Not authorized to perform {action}")).into()
}
