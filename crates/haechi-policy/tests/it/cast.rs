//! The principals and small builders that the tests share.

use haechi_policy::{ContextMap, Document, Kind, Principal};

pub const ACCOUNT: &str = "123456789012";
pub const OTHER_ACCOUNT: &str = "999999999999";

/// The principal that a table calls by this name.
pub fn principal(name: &str) -> Principal {
    let user = |name: &str, account: &str, id: &str| Principal::User {
        arn: format!("arn:aws:iam::{account}:user/{name}"),
        unique_id: id.to_owned(),
        account: account.to_owned(),
    };
    let root = |account: &str| Principal::Root {
        arn: format!("arn:aws:iam::{account}:root"),
        account: account.to_owned(),
    };
    let session = |path: &str, role: &str, account: &str, id: &str| Principal::AssumedRole {
        session_arn: format!("arn:aws:sts::{account}:assumed-role/{role}/s1"),
        role_arn: format!("arn:aws:iam::{account}:role{path}{role}"),
        role_unique_id: id.to_owned(),
        session_name: "s1".to_owned(),
        account: account.to_owned(),
    };
    match name {
        "root" => root(ACCOUNT),
        "other-root" => root(OTHER_ACCOUNT),
        "alice" => user("alice", ACCOUNT, "AIDAALICEEXAMPLE0000"),
        "mallory" => user("mallory", OTHER_ACCOUNT, "AIDAMALLORYEXAMPLE00"),
        "session" => session("/app/", "reader", ACCOUNT, "AROAREADEREXAMPLE000"),
        "other-session" => session("/", "visitor", OTHER_ACCOUNT, "AROAVISITOREXAMPLE00"),
        "federated" => Principal::FederatedUser {
            session_arn: format!("arn:aws:sts::{ACCOUNT}:federated-user/bob"),
            user_arn: Some(format!("arn:aws:iam::{ACCOUNT}:user/alice")),
            user_unique_id: Some("AIDAALICEEXAMPLE0000".to_owned()),
            account: ACCOUNT.to_owned(),
        },
        "google" => Principal::Federated { provider: "accounts.google.com".to_owned() },
        "kms" => Principal::Service { name: "kms.amazonaws.com".to_owned() },
        "anonymous" => Principal::Anonymous,
        other => panic!("no principal is called {other:?}"),
    }
}

/// A policy from its statements, which may stand alone or in a list.
pub fn document(statements: &serde_json::Value, kind: Kind) -> Document {
    let text = if statements.get("Statement").is_some() {
        statements.to_string()
    } else {
        serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    };
    Document::parse(&text, kind).unwrap_or_else(|error| panic!("{error:?} in {text}"))
}

/// A context from a JSON object of strings and lists of strings.
pub fn context(json: &serde_json::Value) -> ContextMap {
    let mut context = ContextMap::new();
    for (key, value) in json.as_object().into_iter().flatten() {
        let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
        let values = match value.as_array() {
            Some(list) => list.iter().map(text).collect(),
            None => vec![text(value)],
        };
        context.insert(key, values);
    }
    context
}
