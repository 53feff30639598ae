//! Temporary credentials of a role, if its trust policy lets the caller have them.

use haechi_core::{Ask, AssumableRole, Cx, Handle, Resource, SessionHolder};
use haechi_policy::{Principal, ResourceRule};
use haechi_sts_model::Error;
use haechi_sts_model::ops::AssumeRole;
use haechi_sts_model::shapes::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser};
use haechi_wire::Fault;

use crate::Sts;
use crate::issue::Wish;
use crate::op::lifetime::check_role_seconds;
use crate::tags;
use crate::trust::{Conditions, check_arn};

/// Where the caller names no duration, in seconds.
const SECONDS_DEFAULT: i32 = 3600;

/// The longest session that is made by another role's session.
const CHAINED_SECONDS_MAX: i32 = 3600;

impl Handle<AssumeRole> for Sts {
    async fn handle(&self, cx: &Cx, input: AssumeRoleRequest) -> Result<AssumeRoleResponse, Error> {
        self.assume(cx, input, None).await
    }
}

impl Sts {
    /// As `AssumeRole`, for the execution environment of a function: all that is called with these
    /// credentials carries the function's ARN (`lambda:SourceFunctionArn`). Sessions that are assumed
    /// from this one do not.
    ///
    /// # Errors
    /// As `AssumeRole`.
    pub async fn assume_for_function(
        &self,
        cx: &Cx,
        input: AssumeRoleRequest,
        function_arn: String,
    ) -> Result<AssumeRoleResponse, Error> {
        self.assume(cx, input, Some(function_arn)).await
    }

    async fn assume(
        &self,
        cx: &Cx,
        input: AssumeRoleRequest,
        source_function: Option<String>,
    ) -> Result<AssumeRoleResponse, Error> {
        check_arn(&input.role_arn)?;
        cx.refuse_parameters(&[
            ("ProvidedContexts", input.provided_contexts.is_some()),
            ("MinimumSessionTokenSize", input.minimum_session_token_size.is_some()),
        ])?;
        // Before the decision, for which it may count.
        self.check_mfa(cx, input.serial_number.as_deref(), input.token_code.as_deref()).await?;
        let role = self.assumable(cx, &input).await?;
        let seconds = input.duration_seconds.unwrap_or(SECONDS_DEFAULT);
        check_seconds(cx, &role, seconds)?;
        let (given, transitive) = (input.tags.unwrap_or_default(), input.transitive_tag_keys);
        let tags = tags::of_session(&cx.caller, &given, &transitive.unwrap_or_default())?;
        let policies =
            self.session_policies(&role.account, input.policy, input.policy_arns).await?;
        let source_identity = source_identity(cx, input.source_identity.as_deref())?;
        let session_name = input.role_session_name;
        let assumed_role_user = AssumedRoleUser {
            assumed_role_id: format!("{}:{session_name}", role.id),
            arn: format!("arn:aws:sts::{}:assumed-role/{}/{session_name}", role.account, role.name),
        };
        let holder = SessionHolder::Role { name: role.name, id: role.id, session_name };
        let wish = Wish {
            account: &role.account,
            holder,
            seconds,
            policies,
            tags,
            source_identity: source_identity.clone(),
            mfa: None,
            federated_provider: None,
            source_function,
        };
        let issued = self.issue(cx, wish)?;
        Ok(AssumeRoleResponse {
            credentials: Some(issued.credentials),
            assumed_role_user: Some(assumed_role_user),
            packed_policy_size: issued.packed_percent,
            source_identity,
            ..AssumeRoleResponse::default()
        })
    }
}

fn check_seconds(cx: &Cx, role: &AssumableRole, seconds: i32) -> Result<(), Error> {
    check_role_seconds(role, seconds)?;
    if is_role_session(cx) && seconds > CHAINED_SECONDS_MAX {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(Fault::Validation(message.to_owned()).into());
    }
    Ok(())
}

fn is_role_session(cx: &Cx) -> bool {
    matches!(cx.caller.principal, Principal::AssumedRole { .. })
}

/// The source identity, which cannot change once a chain of sessions has one.
fn source_identity(cx: &Cx, given: Option<&str>) -> Result<Option<String>, Error> {
    let session = cx.caller.session.as_ref();
    let inherited = session.and_then(|session| session.source_identity.as_deref());
    match (inherited, given) {
        (Some(old), Some(new)) if old != new => {
            let message = "The source identity of the calling session cannot be changed.";
            Err(Fault::AccessDenied(message.to_owned()).into())
        }
        (inherited, given) => Ok(inherited.or(given).map(str::to_owned)),
    }
}

impl Sts {
    /// The role, which the caller may assume as it asks to.
    async fn assumable(&self, cx: &Cx, input: &AssumeRoleRequest) -> Result<AssumableRole, Error> {
        match &cx.caller.principal {
            Principal::Root { .. } => {
                let message = "Roles may not be assumed by root accounts.";
                return Err(Fault::AccessDenied(message.to_owned()).into());
            }
            Principal::FederatedUser { .. } => {
                return Err(denied(cx, "sts:AssumeRole", &input.role_arn));
            }
            _ => {}
        }
        let Some(role) = self.roles.role(&input.role_arn).await? else {
            return Err(denied(cx, "sts:AssumeRole", &input.role_arn));
        };
        // What a chain of sessions hands on is asked for as if it were given.
        let calling = cx.caller.session.as_ref();
        let inherited = calling.and_then(|session| session.source_identity.as_deref());
        let source_identity = input.source_identity.as_deref().or(inherited);
        let has_tags = input.tags.as_ref().is_some_and(|tags| !tags.is_empty())
            || calling.is_some_and(|session| !session.transitive_tags.is_empty());
        let asked = [
            ("sts:AssumeRole", true),
            ("sts:TagSession", has_tags),
            ("sts:SetSourceIdentity", source_identity.is_some()),
        ];
        let given = input.tags.as_deref().unwrap_or_default();
        let transitive = input.transitive_tag_keys.as_deref().unwrap_or_default();
        let context = Conditions {
            external_id: input.external_id.as_deref(),
            duration_seconds: input.duration_seconds,
            source_identity,
            ..Conditions::new(&role, &input.role_session_name, given, transitive)
        };
        for (action, _) in asked.into_iter().filter(|(_, asked)| *asked) {
            let decided = cx.decide(&Ask {
                action,
                resource: &role.arn,
                resource_account: role.account.as_str(),
                policy: Some(&role.trust),
                rule: ResourceRule::RootOfTrust,
                context: &context,
            });
            if let Err(refused) = decided {
                // AWS names the policy only where one denies.
                return Err(if refused.denial.is_explicit() {
                    Fault::AccessDenied(refused.message).into()
                } else {
                    denied(cx, action, &role.arn)
                });
            }
        }
        cx.note(Resource {
            arn: role.arn.clone(),
            account: role.account.to_string(),
            kind: "AWS::IAM::Role",
        });
        Ok(role)
    }
}

fn denied(cx: &Cx, action: &str, role_arn: &str) -> Error {
    let caller = cx.caller.arn();
    let message =
        format!("User: {caller} is not authorized to perform: {action} on resource: {role_arn}");
    Fault::AccessDenied(message).into()
}
