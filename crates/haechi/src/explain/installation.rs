//! What an installation knows about a question: whose policies count, which guardrails bind, what
//! the resource's policy and grants say. All of it as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Caller, GuardrailSource, Roles};
use haechi_policy::{Kind, Principal};

use super::{Answer, Collected, Question, Who, is_role, principal, rule};
use crate::Failure;
use crate::installation::Installation;

/// Services whose resources have policies that are not looked up here.
const ELSEWHERE: [&str; 5] = ["events", "secretsmanager", "sns", "sqs", "ssm"];

/// Answers a question.
///
/// # Errors
/// If a principal or policy is none, or the store fails.
pub async fn answer(question: &Question, installation: &Installation) -> Result<Answer, Failure> {
    let mut notes = Vec::new();
    let caller = caller(question, installation, &mut notes).await?;
    let principal = match (&question.who, &caller) {
        (Who::Recorded(principal), _) => principal.clone(),
        (Who::Named(_), Some(caller)) => caller.principal.clone(),
        (Who::Named(name), None) => principal(name)?,
    };
    let mut collected = Collected::new(question, principal, installation.env.now());
    collected.notes = notes;
    if let Who::Recorded(_) = question.who {
        // The record has all that was known; nothing is made up beside it.
        collected.context.clear();
    }
    if let Some(caller) = caller {
        if let Who::Named(_) = question.who {
            let tags = caller.tags.iter();
            let tags =
                tags.map(|(tag, value)| (format!("aws:PrincipalTag/{tag}"), vec![value.clone()]));
            collected.context.extend(tags);
        }
        collected.identity = caller.policies.identity;
        collected.boundary = caller.policies.boundary;
    }
    guard(question, installation, &mut collected).await?;
    resource(question, installation, &mut collected).await?;
    question.answer(collected)
}

/// Whose policies count.
async fn caller(
    question: &Question,
    installation: &Installation,
    notes: &mut Vec<String>,
) -> Result<Option<Caller>, Failure> {
    let (arn, unique_id) = match &question.who {
        Who::Named(name) => (name.as_str(), None),
        Who::Recorded(Principal::User { arn, unique_id, .. }) => (arn.as_str(), Some(unique_id)),
        Who::Recorded(Principal::AssumedRole { session_arn, role_unique_id, .. }) => {
            (session_arn.as_str(), Some(role_unique_id))
        }
        Who::Recorded(Principal::FederatedUser { user_arn, user_unique_id, .. }) => {
            (user_arn.as_deref().unwrap_or_default(), user_unique_id.as_ref())
        }
        Who::Recorded(other) => (other.name(), None),
    };
    let found = installation.stack.iam.caller_by_arn(arn).await?;
    let now = found.as_ref().and_then(|caller| match &caller.principal {
        Principal::User { unique_id, .. } => Some(unique_id),
        Principal::AssumedRole { role_unique_id, .. } => Some(role_unique_id),
        _ => None,
    });
    if found.is_none() && arn.starts_with("arn:") {
        notes.push(format!("{arn} is not here: it has no identity-based policies"));
    } else if unique_id.is_some() && unique_id != now {
        notes.push(format!(
            "{arn} was deleted since, and made anew: these are the new one's policies"
        ));
    }
    Ok(found)
}

/// Lays the organization's policies over it.
async fn guard(
    question: &Question,
    installation: &Installation,
    collected: &mut Collected,
) -> Result<(), Failure> {
    let guardrails = installation.stack.organizations.guardrails().await?;
    let principal = &collected.principal;
    let owner = question.owner(principal);
    collected.service_control = guardrails.service_control(principal).to_vec();
    collected.resource_control =
        guardrails.resource_control(principal, &question.action, owner).to_vec();
    if let Who::Recorded(_) = question.who {
        return Ok(());
    }
    let own = principal.account().unwrap_or_default();
    for (account, whose) in [(own, "Principal"), (owner, "Resource")] {
        if let Some(place) = guardrails.membership(account) {
            let mut set = |key: &str, value: &str| {
                collected.context.insert(format!("aws:{whose}{key}"), vec![value.to_owned()]);
            };
            set("OrgID", &place.organization_id);
            set("OrgPaths", &place.path);
        }
    }
    Ok(())
}

/// Looks up what the resource itself says.
async fn resource(
    question: &Question,
    installation: &Installation,
    collected: &mut Collected,
) -> Result<(), Failure> {
    let stack = &installation.stack;
    let service = question.service();
    if service == "kms" && question.resource.contains(":key/") {
        collected.rule = rule(&service, Kind::Resource);
        let Some(key) = stack.kms.inspect(&question.resource).await? else {
            collected.notes.push(format!("{} is not here", question.resource));
            return Ok(());
        };
        let context = encryption_context(question);
        collected.resource = Some(Arc::clone(key.policy()));
        collected.granted = key.granted(&collected.principal, &question.action, &context);
        if let Who::Named(_) = question.who {
            collected.context.extend(key.attributes());
            if let Some(account) = collected.principal.account() {
                let account = vec![account.to_owned()];
                collected.context.insert("kms:CallerAccount".to_owned(), account);
            }
        }
    } else if service == "sts" && is_role(&question.resource) {
        collected.rule = rule(&service, Kind::Trust);
        match stack.iam.role(&question.resource).await? {
            Some(role) => collected.resource = Some(role.trust),
            None => collected.notes.push(format!("{} is not here", question.resource)),
        }
    } else if ELSEWHERE.contains(&service.as_str()) && question.given.resource.is_none() {
        collected.notes.push(format!(
            "policies of {service}'s resources are not looked up: give one with --resource-policy"
        ));
    }
    Ok(())
}

/// The encryption context of a question, for grants.
fn encryption_context(question: &Question) -> BTreeMap<String, String> {
    const PREFIX: &str = "kms:encryptioncontext:";
    let pair = |(key, values): (&String, &Vec<String>)| {
        let prefix = key.get(..PREFIX.len())?;
        let name = key.get(PREFIX.len()..).filter(|_| prefix.eq_ignore_ascii_case(PREFIX))?;
        Some((name.to_owned(), values.first()?.clone()))
    };
    question.context.iter().filter_map(pair).collect()
}
