use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

#[tokio::test]
async fn the_keys_of_the_account_and_region_come_page_by_page() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.key().await.arn.unwrap());
    }
    let stranger = world.kit.root(OTHER);
    world.call::<ops::CreateKey>(&stranger, CreateKeyRequest::default()).await.unwrap();
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let input = ListKeysRequest { limit: Some(2), marker, resource_owners: None };
        let page = world.call::<ops::ListKeys>(&world.root, input).await.unwrap();
        assert_eq!(page.truncated, Some(page.next_marker.is_some()));
        seen.extend(page.keys.unwrap().into_iter().map(|key| key.key_arn.unwrap()));
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
}

#[tokio::test]
async fn an_account_without_keys_has_an_empty_list() {
    let world = World::new().await;
    let output = world.call::<ops::ListKeys>(&world.root, ListKeysRequest::default()).await;
    let output = output.unwrap();
    assert_eq!((output.keys.unwrap().len(), output.truncated), (0, Some(false)));
}

#[tokio::test]
async fn it_takes_permission() {
    let world = World::new().await;
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    let outcome = world.call::<ops::ListKeys>(&nobody, ListKeysRequest::default()).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
}

#[tokio::test]
async fn nobody_shares_keys_through_a_resource_share() {
    let world = World::new().await;
    let key = world.key().await;
    let with = |owner| ListKeysRequest {
        resource_owners: Some(vec![owner]),
        ..ListKeysRequest::default()
    };
    for (owner, ids) in [
        (ResourceOwnerType::Self_, vec![key.key_id]),
        (ResourceOwnerType::OtherAccountsViaRam, vec![]),
    ] {
        let listed = world.call::<ops::ListKeys>(&world.root, with(owner)).await.unwrap();
        let found: Vec<String> =
            listed.keys.unwrap().into_iter().filter_map(|key| key.key_id).collect();
        assert_eq!((found, listed.truncated), (ids, Some(false)));
    }
}
