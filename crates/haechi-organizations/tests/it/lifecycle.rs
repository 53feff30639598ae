//! An organization begins and ends.

use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;
use haechi_wire::shape::Unit;

use crate::world::{MANAGEMENT, STRANGER, World, code, refusal};

#[tokio::test]
async fn it_has_a_root_and_its_management_account_and_ids_as_aws_forms_them() {
    let world = World::bare().await;
    let input = CreateOrganizationRequest { feature_set: None };
    let made = world.boss::<ops::CreateOrganization>(input).await.unwrap().organization.unwrap();
    let id = made.id.unwrap();
    assert!(id.starts_with("o-") && id.len() == 12, "{id}");
    let arn = format!("arn:aws:organizations::{MANAGEMENT}:organization/{id}");
    assert_eq!(made.arn.as_deref(), Some(arn.as_str()));
    assert_eq!(made.feature_set, Some(OrganizationFeatureSet::All));
    let arn = format!("arn:aws:organizations::{MANAGEMENT}:account/{id}/{MANAGEMENT}");
    assert_eq!(made.master_account_arn.as_deref(), Some(arn.as_str()));

    let roots = world.boss::<ops::ListRoots>(Default::default()).await.unwrap().roots.unwrap();
    let root = roots[0].id.clone().unwrap();
    assert!(root.starts_with("r-") && root.len() == 6, "{root}");
    assert!(roots[0].policy_types.as_ref().unwrap().is_empty());
    let accounts = world.boss::<ops::ListAccounts>(Default::default()).await.unwrap();
    let accounts = accounts.accounts.unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].id.as_deref(), Some(MANAGEMENT));
    assert_eq!(accounts[0].paths, Some(vec![format!("{id}/{root}/{MANAGEMENT}/")]));
}

#[tokio::test]
async fn an_account_is_in_one_organization_only() {
    let world = World::new().await;
    let again = world.boss::<ops::CreateOrganization>(Default::default()).await;
    assert_eq!(code(again), "AlreadyInOrganizationException");
}

#[tokio::test]
async fn an_account_in_none_is_told_so() {
    let world = World::new().await;
    let (code, message) =
        refusal(world.call::<ops::DescribeOrganization>(&world.admin(STRANGER), Unit).await);
    assert_eq!(code, "AWSOrganizationsNotInUseException");
    assert_eq!(message, "Your account is not a member of an organization.");
}

#[tokio::test]
async fn it_ends_only_without_members_and_leaves_nothing_behind() {
    let world = World::new().await;
    let root = world.root().await;
    world.unit(&root, "unit").await;
    world.policy("one", crate::world::ADMIN).await;
    let account = world.account("one").await;
    assert_eq!(
        code(world.boss::<ops::DeleteOrganization>(Unit).await),
        "OrganizationNotEmptyException"
    );
    let input = RemoveAccountFromOrganizationRequest { account_id: account };
    world.boss::<ops::RemoveAccountFromOrganization>(input).await.unwrap();
    world.boss::<ops::DeleteOrganization>(Unit).await.unwrap();
    let gone = world.boss::<ops::DescribeOrganization>(Unit).await;
    assert_eq!(code(gone), "AWSOrganizationsNotInUseException");
    world.kit.jobs.run_due().await.unwrap();

    world.boss::<ops::CreateOrganization>(Default::default()).await.unwrap();
    assert_ne!(world.root().await, root);
    let units = ListOrganizationalUnitsForParentRequest {
        parent_id: world.root().await,
        ..Default::default()
    };
    let units = world.boss::<ops::ListOrganizationalUnitsForParent>(units).await.unwrap();
    assert!(units.organizational_units.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_deleted_organization_leaves_is_swept_however_much_it_is() {
    let world = World::new().await;
    let root = world.root().await;
    for number in 0..170 {
        world.unit(&root, &number.to_string()).await;
    }
    world.boss::<ops::DeleteOrganization>(Unit).await.unwrap();
    let rows = || async {
        let prefix = haechi_store::Range::prefix(format!("/organizations/{MANAGEMENT}/"));
        world.kit.database.store().range(prefix, 0, None).await.unwrap().kvs.len()
    };
    assert!(rows().await > 170);
    world.kit.jobs.run_due().await.unwrap();
    // Each run removes some and asks for the next.
    for _ in 0..2 {
        world.kit.clock.advance(1);
        world.kit.jobs.run_due().await.unwrap();
    }
    assert_eq!(rows().await, 0);
}

#[tokio::test]
async fn consolidated_billing_has_no_policies() {
    let world = World::bare().await;
    let features = OrganizationFeatureSet::ConsolidatedBilling;
    let input = CreateOrganizationRequest { feature_set: Some(features) };
    world.boss::<ops::CreateOrganization>(input).await.unwrap();
    let enabled = world.enable(PolicyType::ServiceControlPolicy).await;
    assert_eq!(code(enabled), "PolicyTypeNotAvailableForOrganizationException");
}
