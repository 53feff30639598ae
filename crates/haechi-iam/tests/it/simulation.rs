//! What policies would decide.

use haechi_iam_model::ops::{SimulateCustomPolicy, SimulatePrincipalPolicy};
use haechi_iam_model::shapes::*;

use crate::cast::{ALLOW_ALL, Stage, create_policy};

const DENY_WITHOUT_TAG: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"x"}}}}"#;

#[tokio::test]
async fn a_users_policies_decide_as_they_would_for_a_call_and_missing_keys_are_named() {
    let stage = Stage::new().await;
    let user = stage.create_user("alice").await;
    stage.put_policy("alice", "all", ALLOW_ALL).await;
    let request = SimulatePrincipalPolicyRequest {
        policy_source_arn: user.arn,
        policy_input_list: Some(vec![DENY_WITHOUT_TAG.to_owned()]),
        action_names: vec!["kms:Decrypt".to_owned(), "kms:Encrypt".to_owned()],
        ..Default::default()
    };
    let results = stage.ok::<SimulatePrincipalPolicy>(request).await.evaluation_results.unwrap();
    assert!(results[0].eval_decision == PolicyEvaluationDecisionType::ExplicitDeny);
    assert_eq!(results[0].missing_context_values.clone().unwrap(), ["aws:PrincipalTag/team"]);
    assert!(results[1].eval_decision == PolicyEvaluationDecisionType::Allowed);
}

#[tokio::test]
async fn policies_of_the_request_alone_decide_under_its_boundary() {
    let stage = Stage::new().await;
    create_policy(&stage, "unused", ALLOW_ALL).await;
    let request = SimulateCustomPolicyRequest {
        policy_input_list: vec![ALLOW_ALL.to_owned()],
        permissions_boundary_policy_input_list: Some(vec![
            ALLOW_ALL.replace("\"*\",\"Res", "\"kms:List*\",\"Res"),
        ]),
        action_names: vec!["kms:ListKeys".to_owned(), "kms:CreateKey".to_owned()],
        ..Default::default()
    };
    let results = stage.ok::<SimulateCustomPolicy>(request).await.evaluation_results.unwrap();
    assert!(results[0].eval_decision == PolicyEvaluationDecisionType::Allowed);
    assert!(results[1].eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
    let detail = results[1].permissions_boundary_decision_detail.clone().unwrap();
    assert_eq!(detail.allowed_by_permissions_boundary, Some(false));
}

fn positions(statement: &Statement) -> [i32; 4] {
    let (start, end) = (statement.start_position.clone(), statement.end_position.clone());
    let (start, end) = (start.unwrap(), end.unwrap());
    [start.line, start.column, end.line, end.column].map(Option::unwrap)
}

#[tokio::test]
async fn statements_that_applied_are_told_with_their_policies_and_places() {
    let stage = Stage::new().await;
    let user = stage.create_user("alice").await;
    stage.put_policy("alice", "all", ALLOW_ALL).await;
    let request = SimulatePrincipalPolicyRequest {
        policy_source_arn: user.arn.clone(),
        policy_input_list: Some(vec![DENY_WITHOUT_TAG.to_owned()]),
        action_names: vec!["kms:Decrypt".to_owned()],
        ..Default::default()
    };
    let results = stage.ok::<SimulatePrincipalPolicy>(request).await.evaluation_results.unwrap();
    let matched = results[0].matched_statements.clone().unwrap();
    let told: Vec<_> = matched.iter().map(|one| one.source_policy_id.clone().unwrap()).collect();
    // The statement that denies overrides the one that allows, and is told alone.
    assert_eq!(told, ["PolicyInputList.1"]);
    let length = i32::try_from(DENY_WITHOUT_TAG.len()).unwrap();
    assert_eq!(positions(&matched[0]), [1, 38, 1, length]);
    let exclusion = PolicyIdentifier {
        policy_type: Some(PolicyIdentifierPolicyType::Inline),
        inline_policy_identifier: Some(InlinePolicyIdentifierType {
            policy_name: "all".to_owned(),
            attachment_type: AttachmentType::User,
            attachment_name: "alice".to_owned(),
        }),
        ..Default::default()
    };
    let request = SimulatePrincipalPolicyRequest {
        policy_source_arn: user.arn,
        policy_exclusion_list: Some(vec![exclusion]),
        action_names: vec!["kms:Encrypt".to_owned()],
        ..Default::default()
    };
    let results = stage.ok::<SimulatePrincipalPolicy>(request).await.evaluation_results.unwrap();
    assert!(results[0].eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
}

#[tokio::test]
async fn each_resource_has_a_decision_of_its_own_and_an_action_without_resources_has_one() {
    let stage = Stage::new().await;
    let key = |name: &str| format!("arn:aws:kms:us-east-1:111122223333:key/{name}");
    let policy = ALLOW_ALL.replace("\"Resource\":\"*\"", &format!("\"Resource\":\"{}\"", key("a")));
    assert_ne!(policy, ALLOW_ALL);
    let request = SimulateCustomPolicyRequest {
        policy_input_list: vec![policy],
        action_names: vec!["kms:Encrypt".to_owned(), "kms:ListKeys".to_owned()],
        resource_arns: Some(vec![key("a"), key("b")]),
        ..Default::default()
    };
    let results = stage.ok::<SimulateCustomPolicy>(request).await.evaluation_results.unwrap();
    let specific = results[0].resource_specific_results.clone().unwrap();
    assert!(specific[0].eval_resource_decision == PolicyEvaluationDecisionType::Allowed);
    assert!(specific[1].eval_resource_decision == PolicyEvaluationDecisionType::ImplicitDeny);
    // As recorded of AWS: together they are no better than the worst, and tell what applied to any.
    assert!(results[0].eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
    assert_eq!(results[0].matched_statements.as_ref().map(Vec::len), Some(1));
    assert_eq!(specific[1].matched_statements.as_ref().map(Vec::len), Some(0));
    assert!(results[0].eval_resource_name.clone().unwrap().contains("${KeyId}"));
    assert_eq!(results[1].eval_resource_name.as_deref(), Some("*"));
    assert!(results[1].eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
}

#[tokio::test]
async fn every_level_of_service_control_policies_must_allow() {
    let stage = Stage::new().await;
    let level = |text: String| OrderedOrganizationPolicyType {
        service_control_policy_input_list: Some(vec![text]),
    };
    let narrow = ALLOW_ALL.replace("\"*\",\"Res", "\"kms:List*\",\"Res");
    let request = SimulateCustomPolicyRequest {
        policy_input_list: vec![ALLOW_ALL.to_owned()],
        ordered_organization_policy_input_list: Some(vec![
            level(ALLOW_ALL.to_owned()),
            level(narrow),
        ]),
        action_names: vec!["kms:ListKeys".to_owned(), "kms:CreateKey".to_owned()],
        ..Default::default()
    };
    let results = stage.ok::<SimulateCustomPolicy>(request).await.evaluation_results.unwrap();
    let allowed = |result: &EvaluationResult| {
        let detail = result.organizations_decision_detail.clone().unwrap();
        detail.allowed_by_organizations.unwrap()
    };
    assert!(allowed(&results[0]) && !allowed(&results[1]));
    assert!(results[1].eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
}

#[tokio::test]
async fn a_resource_policy_of_another_account_and_the_callers_policy_are_told_apart() {
    let stage = Stage::new().await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sqs:*","Resource":"*"}]}"#;
    let request = SimulateCustomPolicyRequest {
        policy_input_list: vec![ALLOW_ALL.replace("\"*\",\"Res", "\"kms:*\",\"Res")],
        action_names: vec!["sqs:SendMessage".to_owned()],
        resource_policy: Some(trust.to_owned()),
        resource_owner: Some("arn:aws:iam::444455556666:root".to_owned()),
        ..Default::default()
    };
    let refused = stage.refused::<SimulateCustomPolicy>(request.clone()).await;
    assert_eq!(refused.0, "InvalidInput");
    let caller_arn = Some("arn:aws:iam::111122223333:user/bob".to_owned());
    let request = SimulateCustomPolicyRequest { caller_arn, ..request };
    let results = stage.ok::<SimulateCustomPolicy>(request).await.evaluation_results.unwrap();
    let details = results[0].eval_decision_details.clone().unwrap();
    assert!(details["Resource Policy"] == PolicyEvaluationDecisionType::Allowed);
    assert!(details["IAM Policy"] == PolicyEvaluationDecisionType::ImplicitDeny);
    assert!(results[0].eval_decision == PolicyEvaluationDecisionType::ImplicitDeny);
}
