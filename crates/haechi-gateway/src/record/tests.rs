use haechi_core::{AccountId, PrincipalPolicies};
use haechi_wire::{OperationSchema, Timestamp};
use serde_json::{Value, json};

use super::*;

static SERVICE: ServiceSchema = ServiceSchema {
    name: "kms",
    full_name: "",
    version: "",
    target_prefix: "",
    xml_namespace: "",
    protocols: &[Protocol::Json11],
    operations: &[],
    routes: &[],
    address: None,
};

static IAM: ServiceSchema = ServiceSchema {
    name: "iam",
    full_name: "",
    version: "",
    target_prefix: "",
    xml_namespace: "",
    protocols: &[Protocol::Query],
    operations: &[],
    routes: &[],
    address: None,
};

static DECRYPT: OperationSchema = OperationSchema {
    service: &SERVICE,
    name: "Decrypt",
    action: "kms:Decrypt",
    method: "POST",
    uri: "/",
    status: 200,
    input: &haechi_wire::schema::UNIT,
    output: &haechi_wire::schema::UNIT,
    result_wrapper: None,
    read_only: true,
};

const ACCOUNT: &str = "111122223333";

fn caller(principal: Principal, user_id: &str, issued: Option<Timestamp>) -> Caller {
    Caller {
        principal,
        account: AccountId::parse(ACCOUNT).unwrap(),
        access_key_id: "ASIAEXAMPLE".to_owned(),
        user_id: user_id.to_owned(),
        user_name: None,
        tags: Vec::new(),
        policies: PrincipalPolicies::default(),
        issued,
        session: None,
    }
}

fn info() -> RequestInfo {
    RequestInfo {
        id: "request".to_owned(),
        source_ip: std::net::Ipv4Addr::LOCALHOST.into(),
        user_agent: None,
        host: None,
        referer: None,
        trace: None,
        secure_transport: false,
        time: Timestamp::from_seconds(1_767_225_600),
    }
}

/// The record of a call by `caller`, changed as a test needs it.
fn recorded(caller: Option<&Caller>, change: impl FnOnce(Event<'_>) -> Vec<u8>) -> Value {
    let (info, region) = (info(), Region::parse("eu-west-1").unwrap());
    let record = change(Event {
        service: &SERVICE,
        operation: "CreateKey",
        protocol: Protocol::Json11,
        request: &info,
        request_id: &info.id,
        host: None,
        tls: None,
        region: Some(&region),
        caller,
        access_key_id: None,
        read_only: false,
        parameters: b"{}",
        elements: b"",
        problem: None,
        resources: &[],
        details: &[],
        event_id: "event",
        shared_event_id: None,
        owner: None,
        node: None,
        refused: None,
        made: None,
    });
    serde_json::from_slice(&record).unwrap()
}

fn identity_of(caller: &Caller) -> Value {
    recorded(Some(caller), |event| record(&event))["userIdentity"].clone()
}

fn session() -> Caller {
    let principal = Principal::AssumedRole {
        session_arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run-1"),
        role_arn: format!("arn:aws:iam::{ACCOUNT}:role/ci/deploy"),
        role_unique_id: "AROAEXAMPLE".to_owned(),
        session_name: "run-1".to_owned(),
        account: ACCOUNT.to_owned(),
    };
    caller(principal, "AROAEXAMPLE:run-1", Some(Timestamp::from_seconds(1_767_225_000)))
}

#[test]
fn a_session_of_a_role_tells_its_issuer_and_when_it_began() {
    assert_eq!(
        identity_of(&session()),
        json!({
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:run-1",
            "arn": "arn:aws:sts::111122223333:assumed-role/deploy/run-1",
            "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLE",
                    "arn": "arn:aws:iam::111122223333:role/ci/deploy",
                    "accountId": "111122223333",
                    "userName": "deploy",
                },
                "attributes": {
                    "creationDate": "2025-12-31T23:50:00Z",
                    "mfaAuthenticated": "false",
                },
            },
        })
    );
}

#[test]
fn a_denial_keeps_its_request_on_a_line_that_neither_cloudtrail_nor_the_owner_sees() {
    let caller = session();
    let request = RecordedRequest {
        principal: caller.principal.clone(),
        action: "kms:Encrypt".to_owned(),
        resource: "*".to_owned(),
        resource_account: ACCOUNT.to_owned(),
        session_policies: None,
        context: std::collections::BTreeMap::new(),
    };
    let kept = |problem: Option<&Problem>, owner: Option<&str>| {
        let mut kept = None;
        recorded(Some(&caller), |event| {
            let record = record(&Event { problem, owner, refused: Some(&request), ..event });
            let (shown, behind) = haechi_core::audit::parts(&record);
            kept = behind.map(|json| RecordedRequest::from_json(json).unwrap());
            shown.to_vec()
        });
        kept
    };
    let denied = Problem::Fault(Fault::AccessDenied("no".to_owned()));
    let invalid = Problem::Fault(Fault::Validation("no".to_owned()));
    assert_eq!(kept(Some(&denied), None).as_ref(), Some(&request));
    assert_eq!(kept(Some(&denied), Some("444455556666")), None);
    assert_eq!(kept(Some(&invalid), None), None);
    assert_eq!(kept(None, None), None);
}

#[test]
fn a_federated_user_of_root_tells_the_root_user() {
    let principal = Principal::FederatedUser {
        session_arn: format!("arn:aws:sts::{ACCOUNT}:federated-user/bob"),
        user_arn: None,
        user_unique_id: None,
        account: ACCOUNT.to_owned(),
    };
    let told =
        identity_of(&caller(principal, "111122223333:bob", Some(Timestamp::from_seconds(0))));
    assert_eq!(told["type"], "FederatedUser");
    assert_eq!(
        told["sessionContext"]["sessionIssuer"],
        json!({
            "type": "Root",
            "principalId": ACCOUNT,
            "arn": "arn:aws:iam::111122223333:root",
            "accountId": ACCOUNT,
        })
    );
}

#[test]
fn a_session_tells_its_provider_its_source_and_whether_a_code_was_shown() {
    let mut caller = session();
    caller.session = Some(haechi_core::Session {
        holder: haechi_core::SessionHolder::Root,
        transitive_tags: Vec::new(),
        source_identity: Some("alice".to_owned()),
        mfa: Some(Timestamp::from_seconds(1_767_225_000)),
        federated_provider: Some("arn:aws:iam::111122223333:oidc-provider/idp".to_owned()),
        source_function: None,
    });
    let context = &identity_of(&caller)["sessionContext"];
    assert_eq!(context["attributes"]["mfaAuthenticated"], "true");
    assert_eq!(context["sourceIdentity"], "alice");
    assert_eq!(
        context["webIdFederationData"],
        json!({"federatedProvider": "arn:aws:iam::111122223333:oidc-provider/idp", "attributes": {}})
    );
}

#[test]
fn a_call_that_a_service_made_says_so_and_tells_its_own_error() {
    let caller = session();
    let made = haechi_core::MadeCall {
        operation: &DECRYPT,
        service: "ssm",
        caller: std::sync::Arc::new(session()),
        region: Region::parse("eu-west-1").unwrap(),
        event_id: "made".to_owned(),
        parameters: Vec::new(),
        elements: Vec::new(),
        problem: Some(("AccessDenied", "no".to_owned())),
        resources: Vec::new(),
        details: Vec::new(),
    };
    for owner in [None, Some("444455556666")] {
        let told =
            recorded(Some(&caller), |event| record(&Event { made: Some(&made), owner, ..event }));
        assert_eq!(told["userIdentity"]["invokedBy"], "ssm.amazonaws.com");
        assert_eq!(told["sourceIPAddress"], "ssm.amazonaws.com");
        assert_eq!(told["userAgent"], "ssm.amazonaws.com");
        assert_eq!(told["errorCode"], "AccessDenied");
    }
    let told = recorded(Some(&caller), |event| record(&event));
    assert_eq!(told["sourceIPAddress"], "127.0.0.1");
    assert!(told["userIdentity"].get("invokedBy").is_none());
}

#[test]
fn whom_a_provider_vouches_for_is_told_without_an_account_or_a_key() {
    for (kind, provider) in [("oidc", "WebIdentityUser"), ("saml", "SAMLUser")] {
        let arn = format!("arn:aws:iam::{ACCOUNT}:{kind}-provider/idp");
        let principal = Principal::Federated { provider: arn.clone() };
        let mut caller = caller(principal, &format!("{arn}:aud:bob"), None);
        caller.user_name = Some("bob".to_owned());
        assert_eq!(
            identity_of(&caller),
            json!({
                "type": provider,
                "principalId": format!("{arn}:aud:bob"),
                "userName": "bob",
                "identityProvider": arn,
            })
        );
    }
}

#[test]
fn long_term_credentials_have_no_session_and_a_service_only_its_name() {
    let arn = format!("arn:aws:iam::{ACCOUNT}:root");
    let root = Principal::Root { arn, account: ACCOUNT.to_owned() };
    let told = identity_of(&caller(root, ACCOUNT, None));
    assert_eq!(told["type"], "Root");
    assert!(told.get("sessionContext").is_none());
    let service = Principal::Service { name: "cloudtrail.amazonaws.com".to_owned() };
    assert_eq!(
        identity_of(&caller(service, "", None)),
        json!({"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"})
    );
}

#[test]
fn a_denial_reads_access_denied_and_an_empty_request_null() {
    let problem = Problem::Fault(Fault::AccessDenied("User: x is not authorized\nmore".to_owned()));
    let told =
        recorded(Some(&session()), |event| record(&Event { problem: Some(&problem), ..event }));
    assert_eq!(told["errorCode"], "AccessDenied");
    assert_eq!(told["errorMessage"], "User: x is not authorized");
    assert_eq!(told["requestParameters"], Value::Null);
    assert_eq!(told["recipientAccountId"], ACCOUNT);
    assert!(told.get("sharedEventID").is_none());
}

#[test]
fn calls_of_a_global_service_are_recorded_in_its_home() {
    let told = recorded(Some(&session()), |event| record(&Event { service: &IAM, ..event }));
    assert_eq!(
        (&told["awsRegion"], &told["eventSource"]),
        (&json!("us-east-1"), &json!("iam.amazonaws.com"))
    );
    let told = recorded(Some(&session()), |event| record(&event));
    assert_eq!(told["awsRegion"], "eu-west-1");
}

#[test]
fn the_owner_of_what_was_touched_gets_a_record_that_shows_less_of_the_caller() {
    let resource = |account: &str| Resource {
        arn: format!("arn:aws:kms:eu-west-1:{account}:key/k"),
        account: account.to_owned(),
        kind: "AWS::KMS::Key",
    };
    let resources = ["444455556666", ACCOUNT, "444455556666"].map(resource);
    let caller = session();
    assert_eq!(other_owners(Some(&caller), &resources), ["444455556666"]);
    assert!(other_owners(None, &resources).is_empty());
    let told = recorded(Some(&caller), |event| {
        let shared_event_id = Some("shared");
        record(&Event {
            shared_event_id,
            owner: Some("444455556666"),
            resources: &resources,
            ..event
        })
    });
    assert_eq!(told["recipientAccountId"], "444455556666");
    assert_eq!(told["sharedEventID"], "shared");
    assert_eq!(
        told["userIdentity"],
        json!({"type": "AWSAccount", "principalId": "AROAEXAMPLE:run-1", "accountId": ACCOUNT})
    );
}

#[test]
fn details_that_a_service_tells_stand_in_additional_event_data() {
    let details = [("keyMaterialId", "96083e".to_owned())];
    let told = recorded(Some(&session()), |event| record(&Event { details: &details, ..event }));
    assert_eq!(told["additionalEventData"], json!({"keyMaterialId": "96083e"}));
    let told = recorded(Some(&session()), |event| {
        record(&Event { details: &details, node: Some("n1"), ..event })
    });
    assert_eq!(told["additionalEventData"], json!({"keyMaterialId": "96083e", "haechiNode": "n1"}));
}

#[test]
fn a_node_among_others_names_itself() {
    let told = recorded(Some(&session()), |event| record(&Event { node: Some("n1"), ..event }));
    assert_eq!(told["additionalEventData"]["haechiNode"], "n1");
    let told = recorded(Some(&session()), |event| record(&event));
    assert!(told.get("additionalEventData").is_none());
}
