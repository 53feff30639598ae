//! Which of an identity's policies let it use a service: `ListPoliciesGrantingServiceAccess`.
//!
//! As with AWS, what an `Allow` names counts, whatever denials, boundaries and the policies of
//! resources and organizations say.

use haechi_core::AccountId;
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{PolicyGrantingServiceAccess, PolicyOwnerEntityType, PolicyType};
use haechi_wire::Fault;
use serde_json::Value;

use crate::context_keys::each;
use crate::entity::{Entity, EntityKind};
use crate::store::{GroupRecord, RoleRecord, UserRecord};
use crate::{Iam, group, managed};

/// A policy of an identity, and its text.
pub(crate) struct Held {
    pub(crate) policy: PolicyGrantingServiceAccess,
    document: Value,
}

impl Held {
    fn new(policy: PolicyGrantingServiceAccess, text: &str) -> Held {
        Held { policy, document: serde_json::from_str(text).unwrap_or_default() }
    }

    /// Whether it lets its holder do anything in the service.
    pub(crate) fn grants(&self, namespace: &str) -> bool {
        let statements = self.document.get("Statement");
        statements.into_iter().flat_map(each).any(|statement| {
            let is_allow = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
            is_allow && reaches(statement, namespace)
        })
    }
}

/// Whether a statement is about any action of a service.
fn reaches(statement: &Value, namespace: &str) -> bool {
    let named = |element: &str, test: &dyn Fn(&str) -> bool| {
        let entries = statement.get(element).into_iter().flat_map(each);
        entries.filter_map(Value::as_str).any(test)
    };
    if statement.get("NotAction").is_some() {
        // All of a service is left out only where it is left out by name.
        let all = format!("{}:*", namespace.to_ascii_lowercase());
        return !named("NotAction", &|entry| entry == "*" || entry.to_ascii_lowercase() == all);
    }
    named("Action", &|entry| {
        let service = entry.split(':').next().unwrap_or_default();
        is_like(&service.to_ascii_lowercase(), &namespace.to_ascii_lowercase())
    })
}

/// Whether a text is as a pattern with `*` and `?` says.
fn is_like(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let after = pattern.get(1..).unwrap_or_default();
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| is_like(after, text.get(at..).unwrap_or_default()))
        }
        (Some(wanted), Some(got)) if wanted == '?' || wanted == got => {
            let (pattern, text) = (pattern.get(wanted.len_utf8()..), text.get(got.len_utf8()..));
            is_like(pattern.unwrap_or_default(), text.unwrap_or_default())
        }
        _ => false,
    }
}

impl Iam {
    /// The policies of a user (with those of its groups), group or role.
    pub(crate) async fn held(&self, account: &AccountId, arn: &str) -> Result<Vec<Held>, Error> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let is_of = |kind: EntityKind| arn.starts_with(&kind.arn(account, "/", ""));
        let mut held = Vec::new();
        if is_of(EntityKind::User) {
            let user = self.named::<UserRecord>(account, name).await?;
            self.hold(account, &user, &mut held).await?;
            for group in group::of_user(&self.database, account, &user).await? {
                self.hold(account, &group, &mut held).await?;
            }
        } else if is_of(EntityKind::Group) {
            let group = self.named::<GroupRecord>(account, name).await?;
            self.hold(account, &group, &mut held).await?;
        } else if is_of(EntityKind::Role) {
            let role = self.named::<RoleRecord>(account, name).await?;
            self.hold(account, &role, &mut held).await?;
        } else {
            let message = format!("Invalid ARN: {arn} is of no user, group or role here.");
            return Err(Error::InvalidInputException(message));
        }
        Ok(held)
    }

    async fn hold<E: Entity>(
        &self,
        account: &AccountId,
        entity: &E,
        held: &mut Vec<Held>,
    ) -> Result<(), Fault> {
        let owner = match E::KIND {
            EntityKind::User => PolicyOwnerEntityType::User,
            EntityKind::Group => PolicyOwnerEntityType::Group,
            EntityKind::Role => PolicyOwnerEntityType::Role,
        };
        for (name, text) in entity.policies() {
            let policy = PolicyGrantingServiceAccess {
                policy_name: name.clone(),
                policy_type: PolicyType::Inline,
                policy_arn: None,
                entity_type: Some(owner),
                entity_name: Some(entity.name().to_owned()),
            };
            held.push(Held::new(policy, text));
        }
        for arn in entity.attached() {
            let found = managed::find(&self.database, account, arn).await?;
            let found = found.ok_or(Fault::Conflict)?;
            let policy = PolicyGrantingServiceAccess {
                policy_name: arn.rsplit('/').next().unwrap_or_default().to_owned(),
                policy_type: PolicyType::Managed,
                policy_arn: Some(arn.clone()),
                // Told of inline policies alone.
                entity_type: None,
                entity_name: None,
            };
            held.push(Held::new(policy, found.document().unwrap_or_default()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(statement: &str, namespace: &str) -> bool {
        let policy = PolicyGrantingServiceAccess {
            policy_name: "p".to_owned(),
            policy_type: PolicyType::Inline,
            policy_arn: None,
            entity_type: None,
            entity_name: None,
        };
        Held::new(policy, &format!(r#"{{"Statement":{statement}}}"#)).grants(namespace)
    }

    #[test]
    fn a_policy_grants_the_services_that_its_allowed_actions_name() {
        assert!(grants(r#"{"Effect":"Allow","Action":"s3:Get*"}"#, "s3"));
        assert!(grants(r#"[{"Effect":"Allow","Action":["kms:*","S?:*"]}]"#, "s3"));
        assert!(grants(r#"{"Effect":"Allow","Action":"*"}"#, "s3"));
        assert!(!grants(r#"{"Effect":"Allow","Action":"s3-outposts:*"}"#, "s3"));
        assert!(!grants(r#"{"Effect":"Deny","Action":"s3:*"}"#, "s3"));
        assert!(grants(r#"{"Effect":"Allow","NotAction":["iam:*","s3:GetObject"]}"#, "s3"));
        assert!(!grants(r#"{"Effect":"Allow","NotAction":["iam:*"]}"#, "iam"));
    }
}
