//! The table of whole decisions, and the words in which a denial is told.

use std::sync::Arc;

use haechi_policy::{
    Allowed, Decision, Denial, Document, Kind, Policies, Request, ResourceRule, evaluate, explain,
};
use serde::Deserialize;
use serde_json::Value;

use crate::cast::{ACCOUNT, context, document, principal};

/// One decision of `tables/evaluation.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    page: String,
    note: String,
    who: String,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    context: Value,
    #[serde(default)]
    identity: Vec<Value>,
    #[serde(default)]
    boundary: Option<Value>,
    #[serde(default)]
    session: Option<Vec<Value>>,
    #[serde(default)]
    scp: Vec<Vec<Value>>,
    #[serde(default)]
    rcp: Vec<Vec<Value>>,
    #[serde(default)]
    policy: Option<Value>,
    #[serde(default)]
    trust: bool,
    #[serde(default)]
    root_of_trust: bool,
    expect: String,
    #[serde(default)]
    message: Option<String>,
}

fn shared(policies: &[Value], kind: Kind) -> Vec<Arc<Document>> {
    policies.iter().map(|policy| Arc::new(document(policy, kind))).collect()
}

fn decision(text: &str) -> Decision {
    let kind = |name: &str| match name {
        "identity" => Kind::Identity,
        "resource" => Kind::Resource,
        "trust" => Kind::Trust,
        "boundary" => Kind::Boundary,
        "session" => Kind::Session,
        "scp" => Kind::ServiceControl,
        "rcp" => Kind::ResourceControl,
        other => panic!("no kind {other:?}"),
    };
    match text.split(' ').collect::<Vec<_>>()[..] {
        ["allow", "root"] => Decision::Allow(Allowed::Root),
        ["allow", "identity"] => Decision::Allow(Allowed::Identity),
        ["allow", "resource"] => Decision::Allow(Allowed::Resource),
        ["allow", "both"] => Decision::Allow(Allowed::IdentityAndResource),
        ["explicit", name] => Decision::Deny(Denial::new(kind(name), true)),
        ["implicit", name] => Decision::Deny(Denial::new(kind(name), false)),
        _ => panic!("no decision {text:?}"),
    }
}

#[test]
fn every_decision_of_the_table_is_the_one_its_page_describes() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("tables/evaluation.json")).unwrap();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for case in cases {
        let resource_kind = if case.trust { Kind::Trust } else { Kind::Resource };
        let levels = |levels: &[Vec<Value>], kind| {
            levels.iter().map(|level| shared(level, kind)).collect::<Vec<_>>()
        };
        let identity = shared(&case.identity, Kind::Identity);
        let boundary = case.boundary.as_ref().map(|policy| document(policy, Kind::Boundary));
        let session = case.session.as_deref().map(|policies| shared(policies, Kind::Session));
        let scp = levels(&case.scp, Kind::ServiceControl);
        let rcp = levels(&case.rcp, Kind::ResourceControl);
        let resource = case.policy.as_ref().map(|policy| document(policy, resource_kind));
        let policies = Policies {
            identity: &identity,
            boundary: boundary.as_ref(),
            session: session.as_deref(),
            service_control: &scp,
            resource_control: &rcp,
            resource: resource.as_ref(),
            resource_rule: if case.root_of_trust || case.trust {
                ResourceRule::RootOfTrust
            } else {
                ResourceRule::Union
            },
        };
        let (who, context) = (principal(&case.who), context(&case.context));
        let request = Request {
            principal: &who,
            action: case.action.as_deref().unwrap_or("s3:GetObject"),
            resource: case.resource.as_deref().unwrap_or("arn:aws:s3:::bucket/key"),
            resource_account: case.account.as_deref().unwrap_or(ACCOUNT),
            context: &context,
        };
        let found = evaluate(&policies, &request);
        let explanation = explain(&policies, &request);
        assert_eq!(found, decision(&case.expect), "{}: {}\n{explanation}", case.page, case.note);
        assert_eq!(explanation.decision, found);
        if let Some(message) = &case.message {
            let Decision::Deny(denial) = found else { panic!("{} is no denial", case.note) };
            assert_eq!(denial.message(&request), *message, "{}", case.note);
        }
    }
}

#[test]
fn a_request_without_a_resource_is_denied_without_naming_one() {
    let (who, context) = (principal("session"), context(&Value::Null));
    let request = Request {
        principal: &who,
        action: "codecommit:ListRepositories",
        resource: "",
        resource_account: ACCOUNT,
        context: &context,
    };
    let Decision::Deny(denial) = evaluate(&Policies::default(), &request) else {
        panic!("allowed")
    };
    assert_eq!(
        denial.message(&request),
        "User: arn:aws:sts::123456789012:assumed-role/reader/s1 is not authorized to perform: \
         codecommit:ListRepositories because no identity-based policy allows the \
         codecommit:ListRepositories action"
    );
}
