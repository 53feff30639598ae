//! Which condition keys policies ask for, in conditions and as policy variables.

use haechi_core::AccountId;
use haechi_iam_model::Error;
use haechi_policy::Kind;
use haechi_wire::Fault;
use serde_json::Value;

use crate::entity::{Entity, EntityKind};
use crate::policy::parse_input;
use crate::store::{GroupRecord, RoleRecord, UserRecord};
use crate::{Iam, group, managed};

/// The condition keys of these policies, each once, in the order in which they are met.
pub(crate) fn of(policies: &[String]) -> Result<Vec<String>, Error> {
    let mut keys = Vec::new();
    for text in policies {
        parse_input(text, Kind::Identity)?;
        let document: Value = serde_json::from_str(text).unwrap_or_default();
        let statements = document.get("Statement");
        for statement in statements.into_iter().flat_map(each) {
            conditions(statement, &mut keys);
            for element in ["Resource", "NotResource", "Condition"] {
                variables(statement.get(element).unwrap_or(&Value::Null), &mut keys);
            }
        }
    }
    Ok(keys)
}

/// A list's values, or the one value that may stand for a list.
pub(crate) fn each(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(values) => Box::new(values.iter()),
        one => Box::new(std::iter::once(one)),
    }
}

fn note(key: &str, keys: &mut Vec<String>) {
    if !key.is_empty() && !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
        keys.push(key.to_owned());
    }
}

fn conditions(statement: &Value, keys: &mut Vec<String>) {
    let operators = statement.get("Condition").and_then(Value::as_object);
    for asked in operators.into_iter().flat_map(|operators| operators.values()) {
        for key in asked.as_object().into_iter().flat_map(|asked| asked.keys()) {
            note(key, keys);
        }
    }
}

/// Notes each `${key}` and `${key, 'default'}`; `${*}`, `${?}` and `${$}` are no variables.
pub(crate) fn variables_in(text: &str, keys: &mut Vec<String>) {
    for part in text.split("${").skip(1) {
        let Some((inside, _)) = part.split_once('}') else { continue };
        let key = inside.split(',').next().unwrap_or_default().trim();
        if !matches!(key, "*" | "?" | "$") {
            note(key, keys);
        }
    }
}

fn variables(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::String(text) => variables_in(text, keys),
        Value::Array(values) => values.iter().for_each(|one| variables(one, keys)),
        Value::Object(members) => members.values().for_each(|one| variables(one, keys)),
        _ => {}
    }
}

impl Iam {
    /// The identity policies of a user (with those of its groups), group or role, as they were
    /// written.
    pub(crate) async fn policies_of(
        &self,
        account: &AccountId,
        arn: &str,
    ) -> Result<Vec<String>, Error> {
        let (owner, kind, name) = EntityKind::of_arn(arn)?;
        if owner != *account {
            return Err(kind.not_found(name));
        }
        let mut texts = Vec::new();
        match kind {
            EntityKind::User => {
                let user = self.named::<UserRecord>(account, name).await?;
                self.collect(account, &user, &mut texts).await?;
                for group in group::of_user(&self.database, account, &user).await? {
                    self.collect(account, &group, &mut texts).await?;
                }
            }
            EntityKind::Group => {
                let group = self.named::<GroupRecord>(account, name).await?;
                self.collect(account, &group, &mut texts).await?;
            }
            EntityKind::Role => {
                let role = self.named::<RoleRecord>(account, name).await?;
                self.collect(account, &role, &mut texts).await?;
            }
        }
        Ok(texts)
    }

    pub(crate) async fn named<E: Entity>(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<E, Error> {
        let found = self.database.load::<E>(&E::place(account, name)).await?;
        Ok(found.ok_or_else(|| E::KIND.not_found(name))?.value)
    }

    async fn collect<E: Entity>(
        &self,
        account: &AccountId,
        entity: &E,
        texts: &mut Vec<String>,
    ) -> Result<(), Fault> {
        texts.extend(entity.policies().values().cloned());
        for arn in entity.attached() {
            let found = managed::find(&self.database, account, arn).await?;
            let found = found.ok_or(Fault::Conflict)?;
            texts.extend(found.document().map(str::to_owned));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_conditions_and_variables_each_once() {
        let policy = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/${*}",
             "Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:RequestTag/team, 'none'}"},
                          "Bool":{"aws:SecureTransport":"true"}}},
            {"Effect":"Deny","Action":"*","Resource":["*","arn:aws:s3:::b/${AWS:UserName}"],
             "Condition":{"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}]}"#;
        let found = of(&[policy.to_owned()]).unwrap();
        assert_eq!(
            found,
            [
                "aws:PrincipalTag/team",
                "aws:SecureTransport",
                "aws:username",
                "aws:RequestTag/team",
                "aws:CurrentTime"
            ]
        );
    }

    #[test]
    fn what_is_no_policy_is_invalid_input() {
        let refused = of(&["{".to_owned()]);
        assert!(matches!(refused, Err(Error::InvalidInputException(_))));
    }
}
