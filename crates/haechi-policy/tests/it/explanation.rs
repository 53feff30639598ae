//! An explanation shows every statement, what matched, and the values that a condition saw.

use std::sync::Arc;

use haechi_policy::{ContextMap, Kind, Policies, Request, explain};
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
    assert_eq!(
        explanation.to_string(),
        "arn:aws:iam::123456789012:user/alice kms:Encrypt on \
         arn:aws:kms:us-east-1:123456789012:key/k: denied, because no identity-based policy \
         allows the kms:Encrypt action\n\
         \x20 Resource policy\n\
         \x20   [0] - Allow: applies, delegating to the account\n\
         \x20 Identity policy developers\n\
         \x20   [0] Keys Allow: does not apply: no match of condition\n\
         \x20       IpAddress aws:SourceIp wants [\"203.0.113.0/24\"], saw [\"10.0.0.1\"]\n\
         \x20       StringEquals aws:PrincipalTag/team wants [\"red\"], and the request has no such key\n\
         \x20   [1] - Allow: does not apply: no match of action, resource\n"
    );
    let json = serde_json::to_value(&explanation).unwrap();
    let first = &json["policies"][1]["statements"][0];
    assert_eq!(first["sid"], "Keys");
    assert_eq!(first["action_entry"], "kms:*");
    assert_eq!(first["conditions"][0]["seen"], json!(["10.0.0.1"]));
    assert_eq!(first["conditions"][1]["seen"], json!(null));
    assert_eq!(first["applies"], false);
}
