//! An explanation shows every statement, what matched, and the values that a condition saw.

use std::sync::Arc;

use haechi_policy::{
    ContextMap, Document, Explanation, Granted, Kind, Policies, Request, ResourceRule, Says,
    explain, explain_granted,
};
use serde_json::json;

use crate::cast::{ACCOUNT, document, principal};

#[test]
fn a_denial_is_explained_by_the_condition_that_failed_and_the_value_it_saw() {
    let statements = json!([
        {"Sid": "Keys", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
         "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
                       "StringEquals": {"aws:PrincipalTag/team": "red"}}},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"},
    ]);
    let identity = [Arc::new(document(&statements, Kind::Identity).named("developers"))];
    let delegation = json!({
        "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*",
    });
    let resource = document(&delegation, Kind::Resource);
    let policies =
        Policies { identity: &identity, resource: Some(&resource), ..Policies::default() };
    let (who, context) = (principal("alice"), ContextMap::new().with("aws:SourceIp", "10.0.0.1"));
    let request = Request {
        principal: &who,
        action: "kms:Encrypt",
        resource: "arn:aws:kms:us-east-1:123456789012:key/k",
        resource_account: ACCOUNT,
        context: &context,
    };
    let explanation = explain(&policies, &request);
    assert_eq!(explanation.to_string(), DENIED);
    let json = serde_json::to_value(&explanation).unwrap();
    let first = &json["layers"][1]["policies"][0]["statements"][0];
    assert_eq!(first["sid"], "Keys");
    assert_eq!(first["action"]["taken_by"], "kms:*");
    assert_eq!(first["conditions"][0]["seen"], json!(["10.0.0.1"]));
    assert_eq!(first["conditions"][1]["seen"], json!(null));
    assert_eq!(first["applies"], false);
}

const DENIED: &str = "\
DENIED because no identity-based policy allows the kms:Encrypt action
  principal  arn:aws:iam::123456789012:user/alice
  action     kms:Encrypt
  resource   arn:aws:kms:us-east-1:123456789012:key/k

Resource-based policy: leaves it to the account's policies
    [0] Allow: applies to the account
        + Principal 123456789012
        + Action kms:*
        + Resource *
Identity-based policies: do not allow
  developers
    [0] Keys Allow: does not apply
        + Action kms:*
        + Resource *
        - IpAddress aws:SourceIp: wants 203.0.113.0/24; saw 10.0.0.1
        - StringEquals aws:PrincipalTag/team: wants red; the request has no such key
    [1] Allow: does not apply
        - Action s3:*
        - Resource arn:aws:s3:::*
";

/// A request of alice to encrypt under key `k`, with a condition key or two.
fn explained(
    policies: &Policies<'_>,
    context: &ContextMap,
    granted: Option<Granted>,
) -> Explanation {
    let request = Request {
        principal: &principal("alice"),
        action: "kms:Encrypt",
        resource: "arn:aws:kms:us-east-1:123456789012:key/k",
        resource_account: ACCOUNT,
        context,
    };
    explain_granted(policies, &request, granted)
}

fn allow_all(kind: Kind) -> Arc<Document> {
    let mut statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    if kind == Kind::ResourceControl {
        statement["Principal"] = json!("*");
    }
    Arc::new(document(&statement, kind))
}

#[test]
fn every_layer_is_told_in_the_order_of_evaluation_even_one_without_policies() {
    let identity = [allow_all(Kind::Identity)];
    let service_control = [vec![allow_all(Kind::ServiceControl)], vec![]];
    let resource_control = [vec![allow_all(Kind::ResourceControl)]];
    let boundary = allow_all(Kind::Boundary);
    let policies = Policies {
        identity: &identity,
        boundary: Some(&boundary),
        service_control: &service_control,
        resource_control: &resource_control,
        resource_rule: ResourceRule::RootOfTrust,
        ..Policies::default()
    };
    let explanation = explained(&policies, &ContextMap::new(), None);
    let told: Vec<(Kind, Option<usize>, Says)> =
        explanation.layers.iter().map(|layer| (layer.kind, layer.level, layer.says)).collect();
    let expected = [
        (Kind::ResourceControl, Some(0), Says::Allows),
        (Kind::ServiceControl, Some(0), Says::Allows),
        (Kind::ServiceControl, Some(1), Says::Nothing),
        (Kind::Resource, None, Says::Nothing),
        (Kind::Identity, None, Says::Allows),
        (Kind::Boundary, None, Says::Allows),
    ];
    assert_eq!(told, expected);
    let text = explanation.to_string();
    assert!(text.contains("DENIED because no service control policy allows"), "{text}");
    assert!(text.contains("Service control policies of the account: there is none"), "{text}");
}

#[test]
fn a_grant_makes_up_for_policies_that_allow_nothing_and_not_for_a_deny() {
    let policies = Policies { resource_rule: ResourceRule::RootOfTrust, ..Policies::default() };
    let granted = explained(&policies, &ContextMap::new(), Some(Granted::Principal));
    assert!(granted.to_string().starts_with("ALLOWED by a grant"), "{granted}");
    let deny = json!({"Effect": "Deny", "Action": "kms:*", "Resource": "*"});
    let identity = [Arc::new(document(&deny, Kind::Identity))];
    let policies = Policies { identity: &identity, ..policies };
    let denied = explained(&policies, &ContextMap::new(), Some(Granted::Principal));
    assert!(denied.to_string().starts_with("DENIED with an explicit deny"), "{denied}");
}

#[test]
fn policy_variables_are_told_with_their_values() {
    let statement = json!({
        "Effect": "Allow", "Action": "kms:*", "Resource": "arn:aws:kms:*:*:key/${aws:username}",
        "Condition": {"StringEquals": {"kms:EncryptionContext:Owner": "${aws:userid}"}},
    });
    let identity = [Arc::new(document(&statement, Kind::Identity))];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let context = ContextMap::new().with("aws:username", "alice");
    let text = explained(&policies, &context, None).to_string();
    assert!(text.contains("key/${aws:username} (${aws:username} is alice)"), "{text}");
    assert!(text.contains("wants ${aws:userid} (${aws:userid} has no value)"), "{text}");
}

#[test]
fn mistakes_that_the_tables_of_actions_show_are_hinted_at() {
    let statement = json!({
        "Sid": "Mistaken", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptContext:a": "b"}},
    });
    let identity = [Arc::new(document(&statement, Kind::Identity).named("p"))];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let hints = explained(&policies, &ContextMap::new(), None).hints;
    let key = "p [Mistaken]: kms:Encrypt does not have the condition key kms:EncryptContext:a";
    assert_eq!(hints, [key]);
    let hint = |action, resource| {
        let who = principal("alice");
        let context = ContextMap::new();
        let request = Request {
            principal: &who,
            action,
            resource,
            resource_account: ACCOUNT,
            context: &context,
        };
        explain(&Policies::default(), &request).hints.concat()
    };
    assert_eq!(hint("kms:Encipher", "*"), "kms has no action kms:Encipher");
    assert!(hint("kms:ListKeys", "arn:aws:kms:r:1:key/1").contains("takes no resources"));
    assert!(hint("kms:Encrypt", "arn:aws:kms:r:1:alias/a").contains("not done on such a resource"));
    assert_eq!(hint("kms:Encrypt", "arn:aws:kms:r:1:key/a"), "");
    assert_eq!(hint("unknown:Action", "x"), "");
}
