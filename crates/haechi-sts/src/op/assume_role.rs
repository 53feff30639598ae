//! Temporary credentials of a role, if its trust policy lets the caller have them.

use haechi_core::{Ask, AssumableRole, Cx, Handle, SessionHolder};
use haechi_policy::{Context, Principal, ResourceRule, Values};
use haechi_sts_model::Error;
use haechi_sts_model::ops::AssumeRole;
use haechi_sts_model::shapes::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, Tag};
use haechi_wire::Fault;

use crate::Sts;
use crate::issue::{Wish, check_mfa};
use crate::tags;

/// Where the caller names no duration, in seconds.
const SECONDS_DEFAULT: i32 = 3600;

/// The longest session that is made by another role's session.
const CHAINED_SECONDS_MAX: i32 = 3600;

impl Handle<AssumeRole> for Sts {
    async fn handle(&self, cx: &Cx, input: AssumeRoleRequest) -> Result<AssumeRoleResponse, Error> {
        check_arn(&input.role_arn)?;
        let role = self.assumable(cx, &input).await?;
        check_mfa(input.serial_number.as_deref(), input.token_code.as_deref())?;
        if input.provided_contexts.is_some() {
            return Err(cx.unsupported().into());
        }
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

/// Refuses what is no ARN, in AWS's words.
fn check_arn(arn: &str) -> Result<(), Error> {
    let mut parts = arn.splitn(6, ':');
    let has = |part: Option<&str>| part.is_some_and(|text| !text.is_empty());
    let begins = parts.next() == Some("arn") && has(parts.next()) && has(parts.next());
    // Region and account may be empty as far as the form goes.
    if begins && parts.nth(1).is_some() && has(parts.next()) {
        return Ok(());
    }
    Err(Fault::Validation(format!("{arn} is invalid")).into())
}

fn check_seconds(cx: &Cx, role: &AssumableRole, seconds: i32) -> Result<(), Error> {
    let message = if seconds > role.session_seconds_max {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    } else if is_role_session(cx) && seconds > CHAINED_SECONDS_MAX {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    } else {
        return Ok(());
    };
    Err(Fault::Validation(message.to_owned()).into())
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
        let inherited = cx.caller.session.as_ref();
        let inherited = inherited.and_then(|session| session.source_identity.as_deref());
        let source_identity = input.source_identity.as_deref().or(inherited);
        let has_tags = input.tags.as_ref().is_some_and(|tags| !tags.is_empty());
        let asked = [
            ("sts:AssumeRole", true),
            ("sts:TagSession", has_tags),
            ("sts:SetSourceIdentity", source_identity.is_some()),
        ];
        let keys = input.tags.iter().flatten().map(|tag| tag.key.clone()).collect();
        let context = Conditions { input, role: &role, source_identity, keys };
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
        Ok(role)
    }
}

fn denied(cx: &Cx, action: &str, role_arn: &str) -> Error {
    let caller = cx.caller.arn();
    let message =
        format!("User: {caller} is not authorized to perform: {action} on resource: {role_arn}");
    Fault::AccessDenied(message).into()
}

/// Condition keys of a trust policy ("Actions, resources, and condition keys for AWS Security Token
/// Service").
struct Conditions<'a> {
    input: &'a AssumeRoleRequest,
    role: &'a AssumableRole,
    source_identity: Option<&'a str>,
    /// Of the tags that are given.
    keys: Vec<String>,
}

impl Context for Conditions<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        let input = self.input;
        if let Some(wanted) = key.strip_prefix("aws:requesttag/") {
            let mut given = input.tags.iter().flatten();
            let found = given.find(|tag: &&Tag| tag.key.to_lowercase() == wanted);
            return found.map(|tag| Values::one(&tag.value));
        }
        match key {
            "sts:externalid" => return input.external_id.as_deref().map(Values::one),
            "sts:rolesessionname" => return Some(Values::one(&input.role_session_name)),
            "sts:sourceidentity" => return self.source_identity.map(Values::one),
            "sts:durationseconds" => {
                return input.duration_seconds.map(|seconds| Values::owned(seconds.to_string()));
            }
            "sts:transitivetagkeys" => {
                return input.transitive_tag_keys.as_deref().map(Values::many);
            }
            "aws:tagkeys" => return (!self.keys.is_empty()).then(|| Values::many(&self.keys)),
            _ => {}
        }
        let of_role = ["aws:resourcetag/", "iam:resourcetag/"];
        let wanted = of_role.iter().find_map(|prefix| key.strip_prefix(prefix))?;
        let found = self.role.tags.iter().find(|(key, _)| key.to_lowercase() == wanted);
        found.map(|(_, value)| Values::one(value))
    }
}
