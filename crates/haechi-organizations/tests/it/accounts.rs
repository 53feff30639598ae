//! Accounts are asked for, made, and leave.

use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;
use haechi_wire::SecretString;
use haechi_wire::shape::Unit;

use crate::world::{MANAGEMENT, STRANGER, World, code, reason};

async fn status(world: &World, id: &str) -> CreateAccountStatus {
    let create_account_request_id = id.to_owned();
    let input = DescribeCreateAccountStatusRequest { create_account_request_id };
    let answer = world.boss::<ops::DescribeCreateAccountStatus>(input).await.unwrap();
    answer.create_account_status.unwrap()
}

#[tokio::test]
async fn an_account_is_made_after_the_answer_with_the_role_of_organizations() {
    let world = World::new().await;
    let asked = world.request_account("one").await;
    assert_eq!(asked.state, Some(CreateAccountState::InProgress));
    assert_eq!(asked.account_id, None);
    let id = asked.id.unwrap();
    assert_eq!(status(&world, &id).await.state, Some(CreateAccountState::InProgress));
    world.kit.jobs.run_due().await.unwrap();
    let done = status(&world, &id).await;
    assert_eq!(done.state, Some(CreateAccountState::Succeeded));
    let account = done.account_id.unwrap();
    let made = world.directory.made.lock().unwrap().clone();
    let role = "OrganizationAccountAccessRole".to_owned();
    assert_eq!(made, [(account.clone(), MANAGEMENT.to_owned(), role)]);
    let input = DescribeAccountRequest { account_id: account.clone() };
    let shown = world.boss::<ops::DescribeAccount>(input).await.unwrap().account.unwrap();
    assert_eq!(shown.joined_method, Some(AccountJoinedMethod::Created));
    assert_eq!(shown.status, Some(AccountStatus::Active));
    assert_eq!(shown.name.unwrap().0, "one");
    assert_eq!(shown.email.unwrap().0, "one@example.com");
}

#[tokio::test]
async fn an_address_is_used_once() {
    let world = World::new().await;
    world.account("one").await;
    let input = CreateAccountRequest {
        email: SecretString("ONE@example.com".to_owned()),
        account_name: SecretString("again".to_owned()),
        ..Default::default()
    };
    let asked = world.boss::<ops::CreateAccount>(input).await.unwrap();
    let id = asked.create_account_status.unwrap().id.unwrap();
    world.kit.jobs.run_due().await.unwrap();
    let done = status(&world, &id).await;
    assert_eq!(done.state, Some(CreateAccountState::Failed));
    assert_eq!(done.failure_reason, Some(CreateAccountFailureReason::EmailAlreadyExists));
    assert_eq!(world.directory.made.lock().unwrap().len(), 1);
    let states = Some(vec![CreateAccountState::Failed]);
    let list = ListCreateAccountStatusRequest { states, ..Default::default() };
    let listed = world.boss::<ops::ListCreateAccountStatus>(list).await.unwrap();
    assert_eq!(listed.create_account_statuses.unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_request_or_account_is_not_found() {
    let world = World::new().await;
    let create_account_request_id = "car-aaaaaaaa".to_owned();
    let input = DescribeCreateAccountStatusRequest { create_account_request_id };
    let unknown = world.boss::<ops::DescribeCreateAccountStatus>(input).await;
    assert_eq!(code(unknown), "CreateAccountStatusNotFoundException");
    let input = DescribeAccountRequest { account_id: STRANGER.to_owned() };
    let unknown = world.boss::<ops::DescribeAccount>(input).await;
    assert_eq!(code(unknown), "AccountNotFoundException");
}

#[tokio::test]
async fn a_member_leaves_and_the_management_account_stays() {
    let world = World::new().await;
    let account = world.account("one").await;
    let left = world.boss::<ops::LeaveOrganization>(Unit).await;
    assert_eq!(code(left), "MasterCannotLeaveOrganizationException");
    world.call::<ops::LeaveOrganization>(&world.admin(&account), Unit).await.unwrap();
    let gone = world.call::<ops::DescribeOrganization>(&world.admin(&account), Unit).await;
    assert_eq!(code(gone), "AWSOrganizationsNotInUseException");
}

#[tokio::test]
async fn the_management_account_is_not_closed() {
    let world = World::new().await;
    let input = CloseAccountRequest { account_id: MANAGEMENT.to_owned() };
    let closed = world.boss::<ops::CloseAccount>(input).await;
    assert_eq!(reason(closed), "CANNOT_CLOSE_MANAGEMENT_ACCOUNT");
}

#[tokio::test]
async fn an_account_is_closed_only_with_all_features() {
    let world = World::bare().await;
    let feature_set = Some(OrganizationFeatureSet::ConsolidatedBilling);
    let input = CreateOrganizationRequest { feature_set };
    world.boss::<ops::CreateOrganization>(input).await.unwrap();
    let account = world.account("one").await;
    let input = CloseAccountRequest { account_id: account.clone() };
    let closed = world.boss::<ops::CloseAccount>(input).await;
    assert_eq!(reason(closed), "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
    let input = DescribeAccountRequest { account_id: account };
    let shown = world.boss::<ops::DescribeAccount>(input).await.unwrap().account.unwrap();
    assert_eq!(shown.status, Some(AccountStatus::Active));
}
