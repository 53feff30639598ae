//! Resource policies: advanced parameters for other accounts.

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{ALL, OTHER, World, code, secure, string};

const ARN: &str = "arn:aws:ssm:us-east-1:111111111111:parameter/a";

fn policy() -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
        "Principal":{{"AWS":"arn:aws:iam::{OTHER}:root"}},
        "Action":["ssm:GetParameter","ssm:GetParameters"],"Resource":"{ARN}"}}]}}"#
    )
}

async fn advanced() -> World {
    let world = World::new().await;
    let tier = Some(ParameterTier::Advanced);
    world.put(PutParameterRequest { tier, ..string("/a", "shared") }).await;
    world
}

fn put() -> PutResourcePolicyRequest {
    let resource_arn = ARN.to_owned();
    PutResourcePolicyRequest { resource_arn, policy: policy(), ..Default::default() }
}

async fn read_elsewhere(world: &World) -> &'static str {
    let user = world.kit.user(OTHER, "reader", &[ALL]);
    let input = GetParameterRequest { name: ARN.to_owned(), with_decryption: None };
    code(world.as_user::<ops::GetParameter>(&user, input).await)
}

#[tokio::test]
async fn another_account_reads_what_is_shared_with_it_and_writes_nothing() {
    let world = advanced().await;
    assert_eq!(read_elsewhere(&world).await, "AccessDeniedException");
    world.call::<ops::PutResourcePolicy>(put()).await.unwrap();
    assert_eq!(read_elsewhere(&world).await, "no error");
    let user = world.kit.user(OTHER, "reader", &[ALL]);
    let history = GetParameterHistoryRequest { name: ARN.to_owned(), ..Default::default() };
    let history = world.as_user::<ops::GetParameterHistory>(&user, history).await;
    assert_eq!(code(history), "AccessDeniedException");
    let delete = DeleteParameterRequest { name: ARN.to_owned() };
    let delete = world.as_user::<ops::DeleteParameter>(&user, delete).await;
    assert_eq!(code(delete), "ParameterNotFound");
    // Its own IAM policy must allow it too.
    let nobody = world.kit.user(OTHER, "nobody", &[]);
    let input = GetParameterRequest { name: ARN.to_owned(), with_decryption: None };
    let read = world.as_user::<ops::GetParameter>(&nobody, input).await;
    assert_eq!(code(read), "AccessDeniedException");
}

#[tokio::test]
async fn a_policy_is_changed_and_taken_away_by_who_knows_its_state() {
    let world = advanced().await;
    let first = world.call::<ops::PutResourcePolicy>(put()).await.unwrap();
    let (policy_id, stale) = (first.policy_id.clone(), first.policy_hash.clone());
    let again = world.call::<ops::PutResourcePolicy>(put()).await;
    assert_eq!(code(again), "ResourcePolicyLimitExceededException");
    let update = PutResourcePolicyRequest {
        policy_id: policy_id.clone(),
        policy_hash: stale.clone(),
        ..put()
    };
    let second = world.call::<ops::PutResourcePolicy>(update.clone()).await.unwrap();
    assert_eq!(second.policy_id, policy_id);
    let late = world.call::<ops::PutResourcePolicy>(update).await;
    assert_eq!(code(late), "ResourcePolicyConflictException");
    let input = GetResourcePoliciesRequest { resource_arn: ARN.to_owned(), ..Default::default() };
    let shown = world.call::<ops::GetResourcePolicies>(input).await.unwrap().policies.unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].policy_hash, second.policy_hash);
    let mut delete = DeleteResourcePolicyRequest {
        resource_arn: ARN.to_owned(),
        policy_id: policy_id.unwrap(),
        policy_hash: stale.unwrap(),
        ..Default::default()
    };
    let late = world.call::<ops::DeleteResourcePolicy>(delete.clone()).await;
    assert_eq!(code(late), "ResourcePolicyConflictException");
    delete.policy_hash = second.policy_hash.unwrap();
    world.call::<ops::DeleteResourcePolicy>(delete).await.unwrap();
    assert_eq!(read_elsewhere(&world).await, "AccessDeniedException");
}

#[tokio::test]
async fn only_advanced_parameters_are_shared() {
    let world = World::new().await;
    let missing = world.call::<ops::PutResourcePolicy>(put()).await;
    assert_eq!(code(missing), "ResourceNotFoundException");
    world.put(string("/a", "v")).await;
    let standard = world.call::<ops::PutResourcePolicy>(put()).await;
    assert_eq!(code(standard), "ResourcePolicyInvalidParameterException");
    let world = advanced().await;
    let broken = PutResourcePolicyRequest { policy: "{}".to_owned(), ..put() };
    let broken = world.call::<ops::PutResourcePolicy>(broken).await;
    assert_eq!(code(broken), "MalformedResourcePolicyDocumentException");
}

#[tokio::test]
async fn a_policy_means_the_user_who_had_the_name_when_it_was_put() {
    let world = advanced().await;
    let directory = world.kit.directory();
    let naming = |name: &str| PutResourcePolicyRequest {
        policy: policy().replace(":root", &format!(":user/{name}")),
        ..put()
    };
    let ghost = world.call::<ops::PutResourcePolicy>(naming("ghost")).await;
    assert_eq!(code(ghost), "MalformedResourcePolicyDocumentException");
    let reader = format!("arn:aws:iam::{OTHER}:user/reader");
    directory.make(&reader, "AIDAOFANEARLIERREADER");
    let first = world.call::<ops::PutResourcePolicy>(naming("reader")).await.unwrap();
    assert_eq!(read_elsewhere(&world).await, "AccessDeniedException");
    directory.make(&reader, "AIDATESTREADER");
    assert_eq!(read_elsewhere(&world).await, "AccessDeniedException");
    let (policy_id, policy_hash) = (first.policy_id, first.policy_hash);
    let again = PutResourcePolicyRequest { policy_id, policy_hash, ..naming("reader") };
    world.call::<ops::PutResourcePolicy>(again).await.unwrap();
    assert_eq!(read_elsewhere(&world).await, "no error");
}

#[tokio::test]
async fn a_parameter_is_shared_for_reading_alone() {
    let world = advanced().await;
    let with = |from: &str, to: &str| PutResourcePolicyRequest {
        policy: policy().replace(from, to),
        ..put()
    };
    for (from, to) in [
        ("ssm:GetParameters", "ssm:PutParameter"),
        ("ssm:GetParameters", "ssm:*"),
        ("ssm:GetParameters", "ssm:GetParametersByPath"),
        ("\"Action\"", "\"NotAction\""),
    ] {
        let outcome = world.call::<ops::PutResourcePolicy>(with(from, to)).await;
        assert_eq!(code(outcome), "MalformedResourcePolicyDocumentException", "{to}");
    }
    let read = with("ssm:GetParameters", "ssm:getParameterHistory");
    world.call::<ops::PutResourcePolicy>(read).await.unwrap();
    assert_eq!(read_elsewhere(&world).await, "no error");
}

#[tokio::test]
async fn what_is_under_the_aws_managed_key_is_not_shared() {
    let world = World::new().await;
    let tier = Some(ParameterTier::Advanced);
    world.put(PutParameterRequest { tier, ..secure("/a", "v") }).await;
    let outcome = world.call::<ops::PutResourcePolicy>(put()).await;
    assert_eq!(code(outcome), "ResourcePolicyInvalidParameterException");
}
