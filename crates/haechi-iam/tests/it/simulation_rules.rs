//! What a simulation refuses, whose a resource is, and what the answer tells of each decision.

use haechi_iam_model::ops::*;
use haechi_iam_model::shapes::*;

use crate::cast::{ACCOUNT, ALLOW_ALL, OTHER_ACCOUNT, Stage, account, told};

const BOB: &str = "arn:aws:iam::123456789012:user/bob";
const TABLE_ABROAD: &str = "arn:aws:dynamodb:us-east-1:210987654321:table/t";
const BUCKET: &str = "arn:aws:s3:::b/x";

fn deny_all() -> String {
    ALLOW_ALL.replace("Allow", "Deny")
}

/// What a policy would decide of an action on a resource.
fn custom(policies: &[&str], action: &str, resources: &[&str]) -> SimulateCustomPolicyRequest {
    SimulateCustomPolicyRequest {
        policy_input_list: policies.iter().map(ToString::to_string).collect(),
        action_names: vec![action.to_owned()],
        resource_arns: Some(resources.iter().map(ToString::to_string).collect()),
        ..Default::default()
    }
}

async fn decided(stage: &Stage, request: SimulateCustomPolicyRequest) -> EvaluationResult {
    let answer = stage.ok::<SimulateCustomPolicy>(request).await;
    let mut results = answer.evaluation_results.unwrap();
    assert_eq!(results.len(), 1);
    results.remove(0)
}

fn sources(statements: Option<Vec<Statement>>) -> Vec<String> {
    statements.unwrap().into_iter().map(|one| one.source_policy_id.unwrap()).collect()
}

fn of(arn: &str) -> SimulatePrincipalPolicyRequest {
    SimulatePrincipalPolicyRequest {
        policy_source_arn: arn.to_owned(),
        action_names: vec!["iam:GetUser".to_owned()],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_source_is_a_user_group_or_role_of_the_account() {
    let stage = Stage::new().await;
    stage.create_user("bob").await;
    stage.ok::<SimulatePrincipalPolicy>(of(BOB)).await;
    for arn in [
        "arn:aws:sts::123456789012:assumed-role/r/s",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:user/",
        "xxxxxxxxxxxxxxxxxxxxxxxxxx",
    ] {
        let message =
            format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.");
        let refused = stage.refused::<SimulatePrincipalPolicy>(of(arn)).await;
        assert_eq!(refused, told("InvalidInput", &message));
        let keys = GetContextKeysForPrincipalPolicyRequest {
            policy_source_arn: arn.to_owned(),
            ..Default::default()
        };
        let refused = stage.refused::<GetContextKeysForPrincipalPolicy>(keys).await;
        assert_eq!(refused, told("InvalidInput", &message));
    }
    // Bob of the other account is not there, and Bob of this one not meant.
    stage.iam.create_account(&account(OTHER_ACCOUNT)).await.unwrap();
    for kind in ["user", "group", "role"] {
        let arn = format!("arn:aws:iam::{OTHER_ACCOUNT}:{kind}/bob");
        let message = format!("The {kind} with name bob cannot be found.");
        let refused = stage.refused::<SimulatePrincipalPolicy>(of(&arn)).await;
        assert_eq!(refused, told("NoSuchEntity", &message));
    }
}

#[tokio::test]
async fn what_no_simulation_can_take_is_invalid_input() {
    let stage = Stage::new().await;
    let good = || custom(&[ALLOW_ALL], "s3:GetObject", &[BUCKET]);
    let everyone = ALLOW_ALL.replace("\"Action\"", "\"Principal\":\"*\",\"Action\"");
    let broken = |text: &str| Some(text.to_owned());
    let cases = [
        (
            custom(&[ALLOW_ALL], "s3:GetObject", &["foo"]),
            "ResourceNames are not in a valid ARN format: foo.",
        ),
        (
            custom(&[ALLOW_ALL], "GetObject", &[BUCKET]),
            "The action is invalid since it is missing names",
        ),
        (
            custom(&[ALLOW_ALL, "{"], "s3:GetObject", &[]),
            "Policy input list item 2 has invalid content",
        ),
        (
            SimulateCustomPolicyRequest { resource_owner: broken("222222222222"), ..good() },
            "'222222222222' is not a valid as a Resource Owner.",
        ),
        (
            SimulateCustomPolicyRequest {
                permissions_boundary_policy_input_list: Some(vec![ALLOW_ALL.to_owned(); 2]),
                ..good()
            },
            "The list of Permissions Boundary policies cannot exceed 1 items.",
        ),
        (
            SimulateCustomPolicyRequest {
                resource_policy: broken("{}"),
                caller_arn: broken(BOB),
                ..good()
            },
            "Syntax errors in policy.",
        ),
        (
            SimulateCustomPolicyRequest {
                resource_policy: Some(everyone),
                caller_arn: broken("arn:aws:sts::123456789012:assumed-role/r/s"),
                ..good()
            },
            "Invalid caller - Caller must be an IAM user, role or group in this context.",
        ),
    ];
    for (request, message) in cases {
        let refused = stage.refused::<SimulateCustomPolicy>(request).await;
        assert_eq!(refused, told("InvalidInput", message));
    }
    decided(&stage, good()).await;
}

#[tokio::test]
async fn the_account_in_a_resources_arn_counts_before_the_resource_owner() {
    let stage = Stage::new().await;
    let caller_arn = Some(BOB.to_owned());
    let request = SimulateCustomPolicyRequest {
        caller_arn,
        ..custom(&[ALLOW_ALL], "dynamodb:GetItem", &[TABLE_ABROAD])
    };
    let shown = decided(&stage, request.clone()).await;
    assert!(shown.eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
    let details = shown.eval_decision_details.unwrap();
    assert!(details["IAM Policy"] == PolicyEvaluationDecisionType::Allowed);
    assert!(details["Resource Policy"] == PolicyEvaluationDecisionType::ImplicitDeny);
    // An owner who is the caller's own account changes nothing: the ARN has told.
    let own = Some("arn:aws:iam::123456789012:root".to_owned());
    let owned = SimulateCustomPolicyRequest { resource_owner: own, ..request.clone() };
    assert!(
        decided(&stage, owned).await.eval_decision == PolicyEvaluationDecisionType::ImplicitDeny
    );
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{BOB}"}},"Action":"*","Resource":"*"}}]}}"#
    );
    let trusted = SimulateCustomPolicyRequest { resource_policy: Some(trust), ..request };
    let shown = decided(&stage, trusted).await;
    assert!(shown.eval_decision == PolicyEvaluationDecisionType::Allowed);
    assert_eq!(sources(shown.matched_statements), ["ResourcePolicy", "PolicyInputList.1"]);
    // A bucket's ARN tells no account, so the owner does.
    let bucket = SimulateCustomPolicyRequest {
        caller_arn: Some(BOB.to_owned()),
        ..custom(&[ALLOW_ALL], "s3:GetObject", &[BUCKET])
    };
    let abroad = Some(format!("arn:aws:iam::{OTHER_ACCOUNT}:root"));
    let owned = SimulateCustomPolicyRequest { resource_owner: abroad, ..bucket.clone() };
    assert!(
        decided(&stage, owned).await.eval_decision == PolicyEvaluationDecisionType::ImplicitDeny
    );
    assert!(decided(&stage, bucket).await.eval_decision == PolicyEvaluationDecisionType::Allowed);
}

#[tokio::test]
async fn details_are_of_the_worst_resource_empty_within_an_account_and_absent_of_everything() {
    let stage = Stage::new().await;
    let within = decided(&stage, custom(&[ALLOW_ALL], "s3:GetObject", &[BUCKET])).await;
    assert!(within.eval_decision_details.is_some_and(|details| details.is_empty()));
    assert!(within.resource_specific_results.unwrap()[0].eval_decision_details.is_none());
    let everything = decided(&stage, custom(&[ALLOW_ALL], "s3:GetObject", &["*"])).await;
    assert!(everything.eval_decision_details.is_none());
    let narrow =
        ALLOW_ALL.replace("\"Resource\":\"*\"", &format!("\"Resource\":\"{TABLE_ABROAD}\""));
    let other = TABLE_ABROAD.replace("table/t", "table/u");
    let request = SimulateCustomPolicyRequest {
        caller_arn: Some(BOB.to_owned()),
        permissions_boundary_policy_input_list: Some(vec![ALLOW_ALL.to_owned()]),
        ..custom(&[&narrow], "dynamodb:GetItem", &[&other, TABLE_ABROAD])
    };
    let shown = decided(&stage, request).await;
    let details = shown.eval_decision_details.unwrap();
    assert!(details["IAM Policy"] == PolicyEvaluationDecisionType::ImplicitDeny);
    assert!(details["Permissions Boundary Policy"] == PolicyEvaluationDecisionType::Allowed);
    let specific = shown.resource_specific_results.unwrap();
    let second = specific[1].eval_decision_details.clone().unwrap();
    assert!(second["IAM Policy"] == PolicyEvaluationDecisionType::Allowed);
}

#[tokio::test]
async fn an_organization_that_denies_ends_the_answer() {
    let stage = Stage::new().await;
    let levels = vec![OrderedOrganizationPolicyType {
        service_control_policy_input_list: Some(vec![deny_all()]),
    }];
    let request = SimulateCustomPolicyRequest {
        ordered_organization_policy_input_list: Some(levels),
        ..custom(&[ALLOW_ALL, &deny_all()], "s3:GetObject", &[BUCKET])
    };
    let shown = decided(&stage, request).await;
    assert!(shown.eval_decision == PolicyEvaluationDecisionType::ExplicitDeny);
    assert!(shown.eval_decision_details.is_none());
    assert_eq!(sources(shown.matched_statements), [""; 0]);
}

#[tokio::test]
async fn statements_that_made_no_difference_are_not_told() {
    let stage = Stage::new().await;
    let bounded = |boundary: String| SimulateCustomPolicyRequest {
        permissions_boundary_policy_input_list: Some(vec![boundary]),
        ..custom(&[ALLOW_ALL], "s3:GetObject", &[BUCKET])
    };
    let shown = decided(&stage, bounded(ALLOW_ALL.to_owned())).await;
    assert_eq!(sources(shown.matched_statements), ["PolicyInputList.1"]);
    // Recorded of AWS: what a boundary does not allow, no statement has denied.
    let narrow = ALLOW_ALL.replace("\"Action\":\"*\"", "\"Action\":\"kms:*\"");
    let shown = decided(&stage, bounded(narrow)).await;
    assert!(shown.eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
    assert_eq!(sources(shown.matched_statements), [""; 0]);
    let shown = decided(&stage, bounded(deny_all())).await;
    let expected = ["PermissionsBoundaryPolicyInputList.1"];
    assert_eq!(sources(shown.matched_statements), expected);
    let twice = decided(&stage, custom(&[ALLOW_ALL], "s3:GetObject", &[BUCKET, BUCKET])).await;
    assert_eq!(sources(twice.matched_statements), ["PolicyInputList.1"]);
}

#[tokio::test]
async fn policy_variables_without_a_value_are_missing_too() {
    let stage = Stage::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/Team}/*"},
        {"Effect":"Allow","Action":"s3:*","Resource":"*",
         "Condition":{"StringEquals":{"s3:prefix":"${aws:username}"}}},
        {"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:*:*:${aws:userid}"}]}"#;
    let shown = decided(&stage, custom(&[policy], "s3:GetObject", &[BUCKET])).await;
    let missing = shown.missing_context_values.unwrap();
    assert_eq!(missing, ["aws:PrincipalTag/Team", "aws:username", "s3:prefix"]);
    // Whoever is named as the caller tells his own.
    let caller_arn = Some(format!("arn:aws:iam::{ACCOUNT}:user/staff/alice"));
    let by_alice =
        SimulateCustomPolicyRequest { caller_arn, ..custom(&[policy], "s3:GetObject", &[BUCKET]) };
    let missing = decided(&stage, by_alice).await.missing_context_values.unwrap();
    assert_eq!(missing, ["aws:PrincipalTag/Team", "s3:prefix"]);
    let given = |name: &str, value: &str| ContextEntry {
        context_key_name: Some(name.to_owned()),
        context_key_values: Some(vec![value.to_owned()]),
        context_key_type: Some(ContextKeyTypeEnum::String),
    };
    let request = SimulateCustomPolicyRequest {
        context_entries: Some(vec![
            given("aws:principaltag/team", "b"),
            given("aws:username", "bob"),
            given("s3:prefix", "alice"),
        ]),
        ..custom(&[policy], "s3:GetObject", &[BUCKET])
    };
    let shown = decided(&stage, request).await;
    assert!(shown.eval_decision == PolicyEvaluationDecisionType::Allowed);
    assert!(shown.missing_context_values.unwrap().is_empty());
}
