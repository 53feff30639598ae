use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

#[tokio::test]
async fn disabling_and_enabling_show_in_the_metadata() {
    let world = World::new().await;
    let key = world.key().await;
    world.disable(&key.key_id).await;
    world.disable(&key.key_id).await;
    let disabled = world.describe(&key.key_id).await.unwrap();
    assert_eq!((disabled.enabled, disabled.key_state), (Some(false), Some(KeyState::Disabled)));
    for _ in 0..2 {
        let input = EnableKeyRequest { key_id: key.key_id.clone() };
        world.call::<ops::EnableKey>(&world.root, input).await.unwrap();
    }
    let enabled = world.describe(&key.key_id).await.unwrap();
    assert_eq!((enabled.enabled, enabled.key_state), (Some(true), Some(KeyState::Enabled)));
}

#[tokio::test]
async fn a_disabled_key_can_still_be_described_tagged_and_given_aliases() {
    let world = World::new().await;
    let key = world.key().await;
    world.disable(&key.key_id).await;
    world.alias("alias/off", &key.key_id).await;
    let tag = Tag { tag_key: "a".to_owned(), tag_value: "b".to_owned() };
    let input = TagResourceRequest { key_id: key.key_id.clone(), tags: vec![tag] };
    assert!(world.call::<ops::TagResource>(&world.root, input).await.is_ok());
    assert!(world.describe("alias/off").await.is_ok());
}

#[tokio::test]
async fn a_key_pending_deletion_refuses_use_and_change_but_not_reading() {
    let world = World::new().await;
    let key = world.key().await;
    world.schedule_deletion(&key.key_id, 7).await;
    let id = || key.key_id.clone();
    let message = format!("{} is pending deletion.", key.arn.as_ref().unwrap());
    let refusals = [
        refused(world.encrypt(&world.root, &key.key_id).await),
        refused(world.call::<ops::EnableKey>(&world.root, EnableKeyRequest { key_id: id() }).await),
        refused(
            world.call::<ops::DisableKey>(&world.root, DisableKeyRequest { key_id: id() }).await,
        ),
        refused(
            world
                .call::<ops::TagResource>(
                    &world.root,
                    TagResourceRequest { key_id: id(), tags: Vec::new() },
                )
                .await,
        ),
        refused(
            world
                .call::<ops::UntagResource>(
                    &world.root,
                    UntagResourceRequest { key_id: id(), tag_keys: Vec::new() },
                )
                .await,
        ),
        refused(
            world
                .call::<ops::UpdateKeyDescription>(
                    &world.root,
                    UpdateKeyDescriptionRequest { key_id: id(), description: String::new() },
                )
                .await,
        ),
        refused(
            world
                .call::<ops::CreateAlias>(
                    &world.root,
                    CreateAliasRequest { alias_name: "alias/late".to_owned(), target_key_id: id() },
                )
                .await,
        ),
        refused(
            world
                .call::<ops::ScheduleKeyDeletion>(
                    &world.root,
                    ScheduleKeyDeletionRequest { key_id: id(), ..Default::default() },
                )
                .await,
        ),
    ];
    for refusal in refusals {
        assert_eq!(refusal, ("KMSInvalidStateException", message.clone()));
    }
    assert!(world.describe(&key.key_id).await.is_ok());
    let input = GetKeyPolicyRequest { key_id: id(), policy_name: None };
    assert!(world.call::<ops::GetKeyPolicy>(&world.root, input).await.is_ok());
}
