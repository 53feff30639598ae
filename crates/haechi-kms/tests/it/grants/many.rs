//! Keys with many grants: what one has read is kept, and what changes is read anew.

use super::*;

/// More than are read anew after each change.
const MANY: usize = 130;

#[tokio::test]
async fn each_change_of_many_grants_counts_at_once() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let mut ids = Vec::new();
    for number in 0..MANY {
        let name = format!("user{}", number % 40);
        let made = world.grant(grant(&key, &user(&name), &[GrantOperation::Encrypt])).await;
        ids.push(made.grant_id.unwrap());
    }
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    assert!(denied(world.encrypt(&alice, &key).await));
    for _ in 0..3 {
        let made = world.grant(grant(&key, &user("alice"), &[GrantOperation::Encrypt])).await;
        world.encrypt(&alice, &key).await.unwrap();
        world.revoke(&world.root, &key, &made.grant_id.unwrap()).await.unwrap();
        assert!(denied(world.encrypt(&alice, &key).await));
    }
    // More changes between two looks than are remembered one by one.
    let user7 = world.kit.user(ACCOUNT, "user7", NOBODY);
    world.encrypt(&user7, &key).await.unwrap();
    for id in &ids {
        world.revoke(&world.root, &key, id).await.unwrap();
    }
    assert!(denied(world.encrypt(&user7, &key).await));
    let list = ListGrantsRequest { key_id: key.clone(), ..Default::default() };
    assert!(world.grants(list).await.grants.unwrap().is_empty());
}

#[tokio::test]
async fn a_node_that_missed_changes_knows_them_when_it_looks() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    for number in 0..MANY {
        let name = format!("user{number}");
        world.grant(grant(&key, &user(&name), &[GrantOperation::Encrypt])).await;
    }
    // Another server over the same records.
    let kit = &world.kit;
    let other =
        haechi_kms::Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
    let (alice, user3) = (kit.user(ACCOUNT, "alice", NOBODY), kit.user(ACCOUNT, "user3", NOBODY));
    let try_at = async |caller: &Arc<Caller>| {
        kit.call::<ops::Encrypt, _>(&other, caller, plain(&key)).await.map(|_| ())
    };
    assert!(denied(try_at(&alice).await));
    try_at(&user3).await.unwrap();
    let made = world.grant(grant(&key, &user("alice"), &[GrantOperation::Encrypt])).await;
    try_at(&alice).await.unwrap();
    world.revoke(&world.root, &key, &made.grant_id.unwrap()).await.unwrap();
    assert!(denied(try_at(&alice).await));
    try_at(&user3).await.unwrap();
}
