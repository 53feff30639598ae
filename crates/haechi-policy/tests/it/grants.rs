//! What a grant makes up for, and what not.

use std::sync::Arc;

use haechi_policy::{
    Allowed, ContextMap, Decision, Document, Granted, Kind, Policies, Principal, Request, evaluate,
    evaluate_granted,
};

const ACCOUNT: &str = "111111111111";

fn policy(effect: &str, kind: Kind) -> Arc<Document> {
    let principal = if kind == Kind::Resource { r#""Principal":"*","# } else { "" };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}",{principal}
            "Action":"kms:Encrypt","Resource":"*"}}}}"#
    );
    Arc::new(Document::parse(&text, kind).unwrap())
}

fn decide(policies: &Policies<'_>, granted: Granted) -> Decision {
    let (arn, unique_id) = (format!("arn:aws:iam::{ACCOUNT}:user/alice"), "AIDA".to_owned());
    let principal = Principal::User { arn, unique_id, account: ACCOUNT.to_owned() };
    let context = ContextMap::new();
    let request = Request {
        principal: &principal,
        action: "kms:Encrypt",
        resource: "arn:aws:kms:us-east-1:222222222222:key/k",
        resource_account: "222222222222",
        context: &context,
    };
    assert!(!evaluate(policies, &request).is_allowed());
    evaluate_granted(policies, &request, granted)
}

fn denied_by(decision: Decision) -> (Kind, bool) {
    match decision {
        Decision::Deny(denial) => (denial.kind(), denial.is_explicit()),
        Decision::Allow(allowed) => panic!("allowed by {allowed:?}"),
    }
}

#[test]
fn a_grant_stands_for_the_policies_of_both_sides() {
    let none = Policies::default();
    assert_eq!(decide(&none, Granted::Principal), Decision::Allow(Allowed::Grant));
}

#[test]
fn a_grant_to_an_account_needs_a_policy_of_the_account() {
    assert_eq!(denied_by(decide(&Policies::default(), Granted::Account)), (Kind::Identity, false));
    let identity = [policy("Allow", Kind::Identity)];
    let policies = Policies { identity: &identity, ..Policies::default() };
    assert!(decide(&policies, Granted::Account).is_allowed());
}

#[test]
fn a_grant_lifts_no_deny() {
    let identity = [policy("Deny", Kind::Identity)];
    let resource = policy("Deny", Kind::Resource);
    let by_identity = Policies { identity: &identity, ..Policies::default() };
    let by_resource = Policies { resource: Some(&resource), ..Policies::default() };
    assert_eq!(denied_by(decide(&by_identity, Granted::Principal)), (Kind::Identity, true));
    assert_eq!(denied_by(decide(&by_resource, Granted::Principal)), (Kind::Resource, true));
}

#[test]
fn a_grant_lifts_no_limit() {
    let boundary = Document::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
        Kind::Boundary,
    )
    .unwrap();
    let (empty, nothing) = ([Vec::new()], []);
    let limits = [
        (Policies { boundary: Some(&boundary), ..Policies::default() }, Kind::Boundary),
        (Policies { session: Some(&nothing), ..Policies::default() }, Kind::Session),
        (Policies { service_control: &empty, ..Policies::default() }, Kind::ServiceControl),
        (Policies { resource_control: &empty, ..Policies::default() }, Kind::ResourceControl),
    ];
    for (policies, kind) in limits {
        assert_eq!(denied_by(decide(&policies, Granted::Principal)), (kind, false));
    }
}
