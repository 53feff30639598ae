//! A key in all Regions of a partition, as large as quotas let it be.

use haechi_core::{Path, regions};

use super::*;

/// A valid policy of nearly 32 KiB.
fn long_policy(account: &str) -> String {
    let reason = "x".repeat(32_000);
    let denied = statement(
        "Deny",
        "*",
        "kms:Decrypt",
        &format!(r#"{{"StringEquals":{{"kms:EncryptionContext:why":"{reason}"}}}}"#),
    );
    let allowed = statement("Allow", &root_arn(account), "kms:*", "{}");
    format!(r#"{{"Version":"2012-10-17","Statement":[{allowed},{denied}]}}"#)
}

fn many_tags() -> Vec<Tag> {
    let tag = |number: usize| Tag {
        tag_key: format!("{number:0>128}"),
        tag_value: format!("{number:0>256}"),
    };
    (0..50).map(tag).collect()
}

fn others() -> Vec<&'static str> {
    let ours = regions::published().filter(|(_, partition)| *partition == "aws");
    ours.map(|(name, _)| name).filter(|name| *name != HOME).collect()
}

impl World {
    async fn texts(&self, region: &str) -> usize {
        let under = Path::new("kms").part(ACCOUNT).part(region).part("key-text");
        self.kit.database.count(&under).await.unwrap()
    }

    async fn put_policy(&self, key_id: &str, policy: &str) {
        let input = PutKeyPolicyRequest {
            key_id: key_id.to_owned(),
            policy: policy.to_owned(),
            ..Default::default()
        };
        self.call::<ops::PutKeyPolicy>(&self.root, input).await.unwrap();
    }

    async fn policy_of(&self, key_id: &str) -> String {
        let input = GetKeyPolicyRequest { key_id: key_id.to_owned(), ..Default::default() };
        self.call::<ops::GetKeyPolicy>(&self.root, input).await.unwrap().policy.unwrap()
    }

    async fn tags_of(&self, key_id: &str) -> usize {
        let input = ListResourceTagsRequest { key_id: key_id.to_owned(), ..Default::default() };
        let answered = self.call::<ops::ListResourceTags>(&self.root, input).await.unwrap();
        answered.tags.unwrap().len()
    }
}

#[tokio::test]
async fn a_key_in_every_region_with_the_longest_policies_and_tags_changes_as_a_whole() {
    let mut world = World::new().await;
    let (policy, description) = (long_policy(ACCOUNT), "d".repeat(8192));
    let key = world
        .key_with(CreateKeyRequest {
            multi_region: Some(true),
            policy: Some(policy.clone()),
            description: Some(description.clone()),
            tags: Some(many_tags()),
            ..Default::default()
        })
        .await;
    let others = others();
    assert!(others.len() > 30, "{}", others.len());
    for region in &others {
        let input = ReplicateKeyRequest {
            key_id: key.key_id.clone(),
            replica_region: (*region).to_owned(),
            policy: Some(policy.clone()),
            description: Some(description.clone()),
            tags: Some(many_tags()),
            ..Default::default()
        };
        world.call::<ops::ReplicateKey>(&world.root, input).await.unwrap();
    }
    // As often as AWS lets a key rotate on demand, and ten years of automatic rotation.
    for _ in 0..25 {
        world.rotate(&key.key_id).await.unwrap();
    }
    let rotation_period_in_days = Some(365);
    let input = EnableKeyRotationRequest { key_id: key.key_id.clone(), rotation_period_in_days };
    world.call::<ops::EnableKeyRotation>(&world.root, input).await.unwrap();
    for _ in 0..10 {
        world.pass_days(365).await;
    }
    world.make_primary(&key.key_id, AWAY).await.unwrap();
    world.go(AWAY);
    world.rotate(&key.key_id).await.unwrap_err();
    assert_eq!(world.rotations(&key.key_id, true).await.len(), 36);
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    for region in others.iter().filter(|region| **region != AWAY) {
        world.go(region);
        assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT, "{region}");
    }
    let there = world.describe(&key.key_id).await.unwrap();
    assert_eq!(there.description, Some(description));
    assert_eq!(world.policy_of(&key.key_id).await, policy);
    assert_eq!(world.tags_of(&key.key_id).await, 50);
}

#[tokio::test]
async fn long_text_of_a_region_is_replaced_and_goes_with_the_key() {
    let mut world = World::new().await;
    let key = world.multi_region_key().await;
    world.replicate(&key.key_id, AWAY).await.unwrap();
    assert_eq!((world.texts(HOME).await, world.texts(AWAY).await), (0, 0));
    world.go(AWAY);
    let long = long_policy(ACCOUNT);
    world.put_policy(&key.key_id, &long).await;
    assert_eq!((world.texts(HOME).await, world.texts(AWAY).await), (0, 1));
    assert_eq!(world.policy_of(&key.key_id).await, long);
    // It decides: a decryption for this reason is denied, and an alias finds the key.
    world.alias("alias/long", &key.key_id).await;
    let why = context(&[("why", &"x".repeat(32_000))]);
    let blob = world.encrypt(&world.root, "alias/long").await.unwrap();
    let input = DecryptRequest { encryption_context: why, ..sealed(&blob) };
    let outcome = world.call::<ops::Decrypt>(&world.root, input).await.map(|_| ());
    assert_ne!(refused(outcome).0, "InvalidCiphertextException");
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    assert_eq!(world.texts(AWAY).await, 1);
    // What changes in all Regions leaves the text alone.
    world.go(HOME);
    world.rotate(&key.key_id).await.unwrap();
    world.go(AWAY);
    assert_eq!(world.policy_of(&key.key_id).await, long);
    // A short policy goes back into the key's row, and a long one out of it again.
    let short = policy("Allow", &root_arn(ACCOUNT), "kms:*");
    world.put_policy(&key.key_id, &short).await;
    assert_eq!((world.texts(AWAY).await, world.policy_of(&key.key_id).await), (0, short));
    world.put_policy(&key.key_id, &long).await;
    assert_eq!((world.texts(AWAY).await, world.policy_of(&key.key_id).await), (1, long.clone()));
    world.schedule_deletion(&key.key_id, 7).await;
    world.pass_days(7).await;
    assert_eq!(refused(world.describe(&key.key_id).await).0, "NotFoundException");
    assert_eq!(world.texts(AWAY).await, 0);
    // Made again, it has nothing of the one before.
    world.go(HOME);
    world.replicate(&key.key_id, AWAY).await.unwrap();
    world.go(AWAY);
    assert!(world.policy_of(&key.key_id).await.contains("Enable IAM User Permissions"));
}

#[tokio::test]
async fn a_key_is_replicated_into_regions_that_exist() {
    let world = World::new().await;
    let key = world.multi_region_key().await;
    for region in ["eu-west-9", "mars-north-1", "cn-north-1", "us-gov-west-1"] {
        let outcome = world.replicate(&key.key_id, region).await.map(|_| ());
        assert_eq!(refused(outcome).0, "ValidationException", "{region}");
    }
    world.replicate(&key.key_id, "mx-central-1").await.unwrap();
}

#[tokio::test]
async fn a_key_is_not_replicated_into_a_region_that_the_operator_does_not_serve() {
    let world = World::new().await;
    world.kms.serve_only([HOME, AWAY].map(str::to_owned).into());
    let key = world.multi_region_key().await;
    let outcome = world.replicate(&key.key_id, FAR).await.map(|_| ());
    assert_eq!(refused(outcome).0, "ValidationException");
    world.replicate(&key.key_id, AWAY).await.unwrap();
}
