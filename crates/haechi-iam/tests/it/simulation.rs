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
