//! The tables of single conditions, elements and principals.

use std::sync::Arc;

use haechi_policy::{Decision, Kind, Policies, Principal, Request, ResourceRule, evaluate};
use serde_json::{Value, json};

use crate::cast::{ACCOUNT, OTHER_ACCOUNT, context, document, principal};

/// The lines of a table, split at tabs; `#` begins a comment.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split('\t').collect())
}

fn value(cell: &str) -> Value {
    serde_json::from_str(cell).unwrap_or_else(|error| panic!("{error}: {cell}"))
}

fn allows(statement: &Value, action: &str, resource: &str, seen: &Value) -> bool {
    let identity = [Arc::new(document(statement, Kind::Identity))];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let (principal, context) = (principal("alice"), context(seen));
    let request = Request {
        principal: &principal,
        action,
        resource,
        resource_account: ACCOUNT,
        context: &context,
    };
    evaluate(&policies, &request).is_allowed()
}

#[test]
fn every_condition_of_the_table_is_met_or_not_as_its_page_says() {
    let mut count = 0;
    for row in rows(include_str!("tables/conditions.tsv")) {
        let [page, operator, key, wanted, seen, met] = row[..] else { panic!("{row:?}") };
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {operator: {key: value(wanted)}},
        });
        let allowed = allows(&statement, "s3:GetObject", "arn:aws:s3:::b", &value(seen));
        assert_eq!(allowed, met == "met", "{page}: {operator} {key} {wanted} {seen}");
        count += 1;
    }
    assert!(count >= 130, "only {count} rows");
}

#[test]
fn every_action_and_resource_of_the_table_matches_or_not_as_its_page_says() {
    let mut count = 0;
    for row in rows(include_str!("tables/elements.tsv")) {
        let [page, element, patterns, action, resource, seen, result] = row[..] else {
            panic!("{row:?}")
        };
        let mut statement = json!({"Effect": "Allow", element: value(patterns)});
        if element.ends_with("Action") {
            statement["Resource"] = json!("*");
        } else {
            statement["Action"] = json!("*");
        }
        let allowed = allows(&statement, action, resource, &value(seen));
        assert_eq!(
            allowed,
            result == "matches",
            "{page}: {element} {patterns} {action} {resource}"
        );
        count += 1;
    }
    assert!(count >= 50, "only {count} rows");
}

/// How a statement of a resource's policy speaks for a principal, found out by what else the
/// principal needs.
fn result_for(statement: &Value, effect: &str, who: &Principal, bounded: bool) -> &'static str {
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let nothing = json!({"Effect": "Allow", "Action": "x:x", "Resource": "*"});
    let identity = [Arc::new(document(&everything, Kind::Identity))];
    let no_identity = [Arc::new(document(&nothing, Kind::Identity))];
    let no_session = [Arc::new(document(&nothing, Kind::Session))];
    let all_session = [Arc::new(document(&everything, Kind::Session))];
    let boundary = document(&everything, Kind::Boundary);
    let resource = document(statement, Kind::Resource);
    let no_keys = context(&json!({}));
    // As a resource of the principal's own account, so that the kinds of grant can be told apart.
    let request = Request {
        principal: who,
        action: "kms:Encrypt",
        resource: "arn:aws:kms:us-east-1:123456789012:key/k",
        resource_account: who.account().unwrap_or(OTHER_ACCOUNT),
        context: &no_keys,
    };
    let policies = Policies {
        resource: Some(&resource),
        resource_rule: ResourceRule::RootOfTrust,
        boundary: bounded.then_some(&boundary),
        ..Policies::default()
    };
    let decide = |policies: Policies<'_>| evaluate(&policies, &request);
    let most = decide(Policies { identity: &identity, session: Some(&all_session), ..policies });
    match most {
        Decision::Deny(denial) if denial.is_explicit() => "denied",
        Decision::Deny(_) if effect == "Deny" => "spared",
        Decision::Deny(_) => "none",
        Decision::Allow(_) => {
            let least = Policies { identity: &no_identity, session: Some(&no_session), ..policies };
            if decide(least).is_allowed() {
                "direct"
            } else if decide(Policies { session: Some(&all_session), ..least }).is_allowed() {
                "limited"
            } else {
                "delegates"
            }
        }
    }
}

#[test]
fn every_principal_of_the_table_is_meant_as_its_page_says() {
    let mut count = 0;
    for row in rows(include_str!("tables/principals.tsv")) {
        let [page, effect, element, named, who, expected] = row[..] else { panic!("{row:?}") };
        let (name, bounded) = match who.strip_suffix("+boundary") {
            Some(name) => (name, true),
            None => (who, false),
        };
        let statement = json!({
            "Effect": effect, element: value(named), "Action": "kms:*", "Resource": "*",
        });
        let result = result_for(&statement, effect, &principal(name), bounded);
        assert_eq!(result, expected, "{page}: {effect} {element} {named} for {who}");
        count += 1;
    }
    assert!(count >= 60, "only {count} rows");
}
