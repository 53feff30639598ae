//! AWS managed keys.

use std::sync::Arc;

use haechi_core::{AccountId, Caller, Handle, Operation};
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Problem;

use crate::world::*;

impl World {
    async fn managed(&self, service: &str) -> String {
        let account = AccountId::parse(ACCOUNT).unwrap();
        self.kms.aws_managed_key(&account, &self.kit.region, service).await.unwrap()
    }

    /// Calls as a service does for a caller.
    async fn call_via<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        service: &'static str,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        haechi_kms::Kms: Handle<Op>,
    {
        let cx = self.kit.cx::<Op>(caller).forward(Op::SCHEMA, service);
        self.kms.handle(&cx, input).await.map_err(Into::into)
    }
}

#[tokio::test]
async fn each_service_has_one_key_per_account_that_is_made_once() {
    let world = World::new().await;
    let (first, second) = tokio::join!(world.managed("ssm"), world.managed("ssm"));
    assert_eq!(first, second);
    assert_ne!(first, world.managed("s3").await);
    let about = world.describe("alias/aws/ssm").await.unwrap();
    assert_eq!(about.arn, Some(first));
    assert!(about.key_manager == Some(KeyManagerType::Aws));
    let input = ListAliasesRequest::default();
    let listed = world.call::<ops::ListAliases>(&world.root, input).await.unwrap().aliases.unwrap();
    let having = listed.into_iter().filter(|alias| alias.target_key_id.is_some());
    let mut names: Vec<String> = having.filter_map(|alias| alias.alias_name).collect();
    names.sort();
    assert_eq!(names, ["alias/aws/s3", "alias/aws/ssm"]);
    let keys = world.call::<ops::ListKeys>(&world.root, ListKeysRequest::default()).await.unwrap();
    assert_eq!(keys.keys.unwrap().len(), 2);
}

#[tokio::test]
async fn a_managed_key_is_used_through_its_service_by_its_account_only() {
    let world = World::new().await;
    let key = world.managed("ssm").await;
    let alice = world.kit.user(ACCOUNT, "alice", &[]);
    let stranger = world.kit.user(OTHER, "stranger", &[ALL_KMS]);
    assert!(world.encrypt(&world.root, &key).await.is_err(), "directly");
    let through = |service| world.call_via::<ops::Encrypt>(&alice, service, plain(&key));
    let blob = through("ssm").await.unwrap().ciphertext_blob.unwrap();
    assert!(through("s3").await.is_err());
    assert!(world.call_via::<ops::Encrypt>(&stranger, "ssm", plain(&key)).await.is_err());
    let opened = world.call_via::<ops::Decrypt>(&alice, "ssm", sealed(&blob)).await.unwrap();
    assert_eq!(opened.plaintext.unwrap().0, PLAINTEXT);
    assert!(world.decrypt(&world.root, &blob).await.is_err());
}

#[tokio::test]
async fn nobody_disables_deletes_or_reopens_a_managed_key() {
    let world = World::new().await;
    let key = world.managed("secretsmanager").await;
    let key_id = key.rsplit('/').next().unwrap().to_owned();
    let denied = |outcome: Result<(), Problem>| {
        assert_eq!(refused(outcome).0, "AccessDeniedException");
    };
    let root = &world.root;
    let input = DisableKeyRequest { key_id: key_id.clone() };
    denied(world.call::<ops::DisableKey>(root, input).await.map(|_| ()));
    let input = ScheduleKeyDeletionRequest { key_id: key_id.clone(), ..Default::default() };
    denied(world.call::<ops::ScheduleKeyDeletion>(root, input).await.map(|_| ()));
    let input = PutKeyPolicyRequest {
        key_id: key_id.clone(),
        policy: policy("Allow", "*", "kms:*"),
        ..Default::default()
    };
    denied(world.call::<ops::PutKeyPolicy>(root, input).await.map(|_| ()));
    let input =
        CreateAliasRequest { alias_name: "alias/mine".to_owned(), target_key_id: key_id.clone() };
    denied(world.call::<ops::CreateAlias>(root, input).await.map(|_| ()));
    let input = UpdateKeyDescriptionRequest { key_id: key_id.clone(), description: String::new() };
    denied(world.call::<ops::UpdateKeyDescription>(root, input).await.map(|_| ()));
    let input = GetKeyPolicyRequest { key_id, ..Default::default() };
    let shown = world.call::<ops::GetKeyPolicy>(root, input).await.unwrap().policy.unwrap();
    assert!(shown.contains("secretsmanager.us-east-1.amazonaws.com"), "{shown}");
}

#[tokio::test]
async fn grants_for_resources_are_told_apart_by_who_asks_for_them() {
    let world = World::new().await;
    let only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:CreateGrant",
        "Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}]}"#;
    let alice = world.kit.user(ACCOUNT, "alice", &[only]);
    let key = world.key().await.key_id;
    let input = CreateGrantRequest {
        key_id: key,
        grantee_principal: Some(root_arn(ACCOUNT)),
        operations: vec![GrantOperation::Decrypt],
        ..Default::default()
    };
    assert!(world.call::<ops::CreateGrant>(&alice, input.clone()).await.is_err());
    assert!(world.call_via::<ops::CreateGrant>(&alice, "ec2", input).await.is_ok());
}
