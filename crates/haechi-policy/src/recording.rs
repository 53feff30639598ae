//! A request as it was, kept beside the record of a denial, to be explained later.
//!
//! Conditions ask a [`crate::Context`] by name, and a context cannot be listed; so what is kept are the
//! values of all names that can be thought of: those that the context itself tells, the condition
//! keys of the service, and those that the policies of the time asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::pattern::variable_names;
use crate::statement::Statement;
use crate::{ContextMap, Document, Policies, Principal, Request, reference};

/// Keys whose values are names, and the keys that have these names in them.
const NAMING: [(&str, &str); 2] =
    [("aws:tagkeys", "aws:requesttag/"), ("kms:encryptioncontextkeys", "kms:encryptioncontext:")];

/// A request with the values of its condition keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// Who asked.
    pub principal: Principal,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The account that owns the resource.
    pub resource_account: String,
    /// The session policies, which are kept nowhere else, written anew from what was compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_policies: Option<Vec<String>>,
    /// Condition keys in small letters, and their values.
    pub context: BTreeMap<String, Vec<String>>,
}

impl RecordedRequest {
    /// The request, with the values of every condition key that is known to be there.
    #[must_use]
    pub fn of(policies: &Policies<'_>, request: &Request<'_>) -> Self {
        let mut names: BTreeSet<String> = request.context.names().into_iter().collect();
        let service = request.action.split_once(':').map_or("", |(service, _)| service);
        let listed = reference::condition_keys(&service.to_ascii_lowercase());
        names.extend(listed.iter().filter(|key| !key.contains("${")).map(|key| key.to_lowercase()));
        documents(policies).flat_map(asked).for_each(|name| {
            names.insert(name);
        });
        for (naming, prefix) in NAMING {
            if let Some(values) = request.context.values(naming) {
                names.extend(values.iter().map(|name| format!("{prefix}{}", name.to_lowercase())));
            }
        }
        let value = |name: String| {
            let values = request.context.values(&name).filter(|values| !values.is_empty())?;
            let values = values.iter().map(ToOwned::to_owned).collect();
            Some((name, values))
        };
        let render = |documents: &[Arc<Document>]| documents.iter().map(|one| text(one)).collect();
        Self {
            principal: request.principal.clone(),
            action: request.action.to_owned(),
            resource: request.resource.to_owned(),
            resource_account: request.resource_account.to_owned(),
            session_policies: policies.session.map(render),
            context: names.into_iter().filter_map(value).collect(),
        }
    }

    /// As one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, lists and maps of strings: there is nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From its JSON.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The condition keys, to be asked.
    #[must_use]
    pub fn context(&self) -> ContextMap {
        let mut context = ContextMap::new();
        for (name, values) in &self.context {
            context.insert(name, values.clone());
        }
        context
    }
}

fn documents<'a>(policies: &Policies<'a>) -> impl Iterator<Item = &'a Document> {
    let levels = policies.service_control.iter().chain(policies.resource_control).flatten();
    let lists = policies.identity.iter().chain(policies.session.unwrap_or_default());
    let single = policies.boundary.into_iter().chain(policies.resource);
    levels.chain(lists).map(Arc::as_ref).chain(single)
}

/// The condition keys that a policy asks for.
fn asked(document: &Document) -> Vec<String> {
    let mut names = Vec::new();
    for statement in &document.statements {
        for condition in &statement.conditions {
            names.push(condition.key_name.to_lowercase());
            names.extend(condition.wanted.iter().flat_map(|text| variable_names(text)));
        }
        let resources = statement.resources.iter().flat_map(|element| &element.patterns);
        names.extend(resources.flat_map(|one| variable_names(one.source())));
    }
    names
}

/// A policy without principals as text that means the same.
fn text(document: &Document) -> String {
    let statements: Vec<serde_json::Value> = document.statements.iter().map(statement).collect();
    let version = document.version.text();
    serde_json::json!({ "Version": version, "Statement": statements }).to_string()
}

fn statement(statement: &Statement) -> serde_json::Value {
    let mut json = serde_json::Map::new();
    if let Some(sid) = &statement.sid {
        json.insert("Sid".to_owned(), (**sid).into());
    }
    json.insert("Effect".to_owned(), format!("{:?}", statement.effect).into());
    let actions = &statement.actions;
    let entries: Vec<&str> = actions.patterns.iter().map(|one| one.source()).collect();
    let name = if actions.negated { "NotAction" } else { "Action" };
    json.insert(name.to_owned(), entries.into());
    if let Some(resources) = &statement.resources {
        let entries: Vec<&str> = resources.patterns.iter().map(|one| one.source()).collect();
        let name = if resources.negated { "NotResource" } else { "Resource" };
        json.insert(name.to_owned(), entries.into());
    }
    if !statement.conditions.is_empty() {
        json.insert("Condition".to_owned(), conditions(&statement.conditions));
    }
    json.into()
}

fn conditions(conditions: &[Condition]) -> serde_json::Value {
    let mut operators: BTreeMap<&str, BTreeMap<&str, &[Box<str>]>> = BTreeMap::new();
    for condition in conditions {
        let keys = operators.entry(&condition.operator_name).or_default();
        keys.insert(&condition.key_name, &condition.wanted);
    }
    serde_json::json!(operators)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Kind, Values, evaluate};

    const SESSION: &str = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"A","Effect":"Allow","NotAction":["iam:*"],"Resource":["arn:aws:kms:*:*:key/${aws:username}"],
         "Condition":{"StringLike":{"aws:PrincipalTag/Team":["r*","b"]},"Null":{"aws:TagKeys":"false"}}},
        {"Effect":"Deny","Action":"kms:Decrypt","NotResource":"*"}]}"#;

    /// A context that tells the names of tags.
    struct Told;

    impl Context for Told {
        fn values(&self, key: &str) -> Option<Values<'_>> {
            match key {
                "aws:principaltag/team" => Some(Values::one("red")),
                "aws:username" => Some(Values::one("alice")),
                "aws:tagkeys" => Some(Values::Slices(&["Stage"])),
                "aws:requesttag/stage" => Some(Values::one("prod")),
                "kms:keyspec" => Some(Values::one("SYMMETRIC_DEFAULT")),
                "aws:sourceip" => Some(Values::one("10.0.0.1")),
                _ => None,
            }
        }

        fn names(&self) -> Vec<String> {
            vec!["aws:sourceip".to_owned(), "aws:referer".to_owned()]
        }
    }

    fn recorded() -> RecordedRequest {
        let session = [Arc::new(Document::parse(SESSION, Kind::Session).unwrap())];
        let policies = Policies { session: Some(&session), ..Policies::default() };
        let principal = Principal::Root {
            arn: "arn:aws:iam::123456789012:root".to_owned(),
            account: "123456789012".to_owned(),
        };
        let request = Request {
            principal: &principal,
            action: "kms:CreateKey",
            resource: "*",
            resource_account: "123456789012",
            context: &Told,
        };
        assert!(!evaluate(&policies, &request).is_allowed());
        RecordedRequest::of(&policies, &request)
    }

    #[test]
    fn what_policies_asked_for_and_what_can_be_listed_is_kept() {
        let keys: Vec<String> = recorded().context.into_keys().collect();
        let expected = [
            "aws:principaltag/team",
            "aws:requesttag/stage",
            "aws:sourceip",
            "aws:tagkeys",
            "aws:username",
            "kms:keyspec",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = recorded();
        let json = record.to_json();
        assert!(!json.contains('\n'));
        assert_eq!(RecordedRequest::from_json(json.as_bytes()).unwrap(), record);
    }

    #[test]
    fn session_policies_are_written_anew_with_the_same_meaning() {
        let texts = recorded().session_policies.unwrap();
        let again = Document::parse(&texts[0], Kind::Session).unwrap();
        assert_eq!(text(&again), texts[0]);
        let original: serde_json::Value = serde_json::from_str(SESSION).unwrap();
        let written: serde_json::Value = serde_json::from_str(&texts[0]).unwrap();
        assert_eq!(written["Statement"][0]["NotAction"], original["Statement"][0]["NotAction"]);
        assert_eq!(
            written["Statement"][0]["Condition"]["StringLike"],
            original["Statement"][0]["Condition"]["StringLike"]
        );
        assert_eq!(written["Statement"][1]["Effect"], "Deny");
    }
}
