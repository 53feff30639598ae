use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

#[tokio::test]
async fn it_answers_what_create_key_answered() {
    let world = World::new().await;
    let key = world.key().await;
    let again = world.describe(&key.key_id).await.unwrap();
    assert_eq!((again.arn, again.key_id), (key.arn, key.key_id));
    assert_eq!(again.current_key_material_id, key.current_key_material_id);
}

#[tokio::test]
async fn what_is_no_key_id_is_invalid() {
    let world = World::new().await;
    for id in ["fake-key-id", "134f2428cec14b25a1ae9048164dba47", "mrk-fake-key-id"] {
        let message = format!("Invalid keyId '{id}'");
        assert_refused(world.describe(id).await, "NotFoundException", &message);
    }
}

#[tokio::test]
async fn a_key_that_is_not_there_is_named_by_arn() {
    let world = World::new().await;
    let id = "00000000-0000-4000-8000-000000000000";
    let message = format!("Key '{}' does not exist", world.key_arn(id));
    assert_refused(world.describe(id).await, "NotFoundException", &message);
    assert_refused(world.describe(&world.key_arn(id)).await, "NotFoundException", &message);
}

#[tokio::test]
async fn each_region_has_keys_of_its_own() {
    let mut world = World::new().await;
    let key = world.key().await;
    world.kit.region = haechi_core::Region::parse("us-west-2").unwrap();
    assert_refused(
        world.describe(&key.arn.unwrap()).await,
        "NotFoundException",
        "Invalid arn us-east-1",
    );
    let message =
        format!("Key 'arn:aws:kms:us-west-2:{ACCOUNT}:key/{}' does not exist", key.key_id);
    assert_refused(world.describe(&key.key_id).await, "NotFoundException", &message);
}

#[tokio::test]
async fn what_is_no_arn_of_kms_is_invalid() {
    let world = World::new().await;
    for arn in [
        "arn:aws:iam::111111111111:user/x",
        "arn:aws:kms:us-east-1:11:key/00000000-0000-4000-8000-000000000000",
        "arn:aws-cn:kms:us-east-1:111111111111:key/00000000-0000-4000-8000-000000000000",
        "arn:aws:kms:us-east-1:111111111111:grant/x",
        "arn:",
    ] {
        assert_eq!(refused(world.describe(arn).await).0, "InvalidArnException", "{arn}");
    }
}

#[tokio::test]
async fn the_description_can_be_changed() {
    let world = World::new().await;
    let key = world.key().await;
    let input =
        UpdateKeyDescriptionRequest { key_id: key.key_id.clone(), description: "new".to_owned() };
    world.call::<ops::UpdateKeyDescription>(&world.root, input).await.unwrap();
    assert_eq!(world.describe(&key.key_id).await.unwrap().description.as_deref(), Some("new"));
}

#[tokio::test]
async fn operations_on_the_key_itself_take_no_alias() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/app", &key.key_id).await;
    let alias_arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/app");
    for name in ["alias/app", &alias_arn] {
        let input = DisableKeyRequest { key_id: name.to_owned() };
        assert_refused(
            world.call::<ops::DisableKey>(&world.root, input).await,
            "InvalidArnException",
            "Key Aliases are not supported for this operation.",
        );
    }
}
