//! Under which constraints a grant counts.

use haechi_core::{AccountId, Cx, Handle, Operation, Source};
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Problem;

use super::{NOBODY, denied, equals, grant, subset, user};
use crate::world::*;

#[tokio::test]
async fn constraints_bind_the_encryption_context() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let (alice, bob) =
        (world.kit.user(ACCOUNT, "alice", NOBODY), world.kit.user(ACCOUNT, "bob", NOBODY));
    let operations = [GrantOperation::Encrypt, GrantOperation::DescribeKey];
    let constraints = subset(&[("Department", "IT")]);
    world
        .grant(CreateGrantRequest { constraints, ..grant(&key, &user("alice"), &operations) })
        .await;
    let constraints = equals(&[("Department", "IT")]);
    world.grant(CreateGrantRequest { constraints, ..grant(&key, &user("bob"), &operations) }).await;
    let (exact, more) = ([("Department", "IT")], [("Department", "IT"), ("Purpose", "Test")]);
    for wrong in [&[][..], &[("Department", "it")], &[("Purpose", "IT")]] {
        assert!(denied(world.encrypt_in(&alice, &key, wrong).await), "{wrong:?}");
        assert!(denied(world.encrypt_in(&bob, &key, wrong).await), "{wrong:?}");
    }
    assert!(world.encrypt_in(&alice, &key, &exact).await.is_ok());
    assert!(world.encrypt_in(&alice, &key, &more).await.is_ok());
    assert!(world.encrypt_in(&bob, &key, &exact).await.is_ok());
    assert!(denied(world.encrypt_in(&bob, &key, &more).await));
    // The context does not bind what has none.
    let input = DescribeKeyRequest { key_id: key.clone(), ..Default::default() };
    assert!(world.call::<ops::DescribeKey>(&alice, input).await.is_ok());
}

#[tokio::test]
async fn a_service_uses_a_grant_on_behalf_of_its_resource_and_of_no_other() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let bus = |name: &str| format!("arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{name}");
    let granted = CreateGrantRequest {
        key_id: key.clone(),
        grantee_service_principal: Some("events.amazonaws.com".to_owned()),
        retiring_principal: Some(root_arn(ACCOUNT)),
        operations: vec![GrantOperation::Encrypt, GrantOperation::DescribeKey],
        constraints: Some(GrantConstraints {
            source_arn: Some(bus("orders")),
            ..Default::default()
        }),
        ..Default::default()
    };
    world.grant(granted).await;
    let encrypt = |service: &'static str, arn: String| {
        let source = Source { arn, account: AccountId::parse(ACCOUNT).unwrap() };
        let (env, region) = (&world.kit.env, world.kit.region.clone());
        let (kms, key) = (&world.kms, &key);
        async move {
            let cx = Cx::by_service(env, region, service, source, ops::Encrypt::SCHEMA).await;
            let cx = cx.unwrap();
            let input = plain(key);
            Handle::<ops::Encrypt>::handle(kms, &cx, input).await.map_err(Problem::from)
        }
    };
    encrypt("events", bus("orders")).await.unwrap();
    assert!(denied(encrypt("events", bus("others")).await), "another resource");
    assert!(denied(encrypt("sns", bus("orders")).await), "another service");
    assert!(denied(world.encrypt(&world.kit.user(ACCOUNT, "alice", NOBODY), &key).await));
}

#[tokio::test]
async fn keys_of_a_constraint_have_no_case_and_values_have() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    let alice = world.kit.user(ACCOUNT, "alice", NOBODY);
    let input = CreateGrantRequest {
        constraints: equals(&[("Tenant", "Acme")]),
        ..grant(&key, &user("alice"), &[GrantOperation::Encrypt])
    };
    world.grant(input).await;
    assert!(world.encrypt_in(&alice, &key, &[("tenant", "Acme")]).await.is_ok());
    assert!(denied(world.encrypt_in(&alice, &key, &[("Tenant", "acme")]).await));
    assert!(denied(world.encrypt_in(&alice, &key, &[("tenant", "Acme"), ("a", "b")]).await));
}

#[tokio::test]
async fn an_empty_constraint_beside_another_is_none() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    for equals in [true, false] {
        let pairs = |given: bool| if given { context(&[("a", "b")]) } else { context(&[]) };
        let input = CreateGrantRequest {
            constraints: Some(GrantConstraints {
                encryption_context_equals: pairs(equals),
                encryption_context_subset: pairs(!equals),
                ..Default::default()
            }),
            ..grant(&key, &user("alice"), &[GrantOperation::Encrypt])
        };
        let made = world.call::<ops::CreateGrant>(&world.root, input).await.unwrap();
        let input = ListGrantsRequest { key_id: key.clone(), ..Default::default() };
        let listed = world.call::<ops::ListGrants>(&world.root, input).await.unwrap();
        let mut grants = listed.grants.unwrap().into_iter();
        let one = grants.find(|one| one.grant_id == made.grant_id).unwrap();
        let told = one.constraints.unwrap();
        assert_eq!(told.encryption_context_equals.is_some(), equals);
        assert_eq!(told.encryption_context_subset.is_some(), !equals);
    }
}
