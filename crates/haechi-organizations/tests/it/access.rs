//! Who may ask and change what: management account, members, delegated administrators, and what the
//! organization's resource policy lets through.

use std::sync::Arc;

use haechi_core::{Caller, Handle, Operation};
use haechi_organizations::Organizations;
use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;
use haechi_testkit::told;
use haechi_wire::shape::Unit;
use haechi_wire::{Problem, SecretString};

use crate::world::{ADMIN, MANAGEMENT, STRANGER, World, code, reason, refusal};

const SERVICE: &str = "config.amazonaws.com";

async fn register(world: &World, account: &str) -> Result<Unit, Problem> {
    let (account_id, service_principal) = (account.to_owned(), SERVICE.to_owned());
    let input = RegisterDelegatedAdministratorRequest { account_id, service_principal };
    world.boss::<ops::RegisterDelegatedAdministrator>(input).await
}

async fn trust(world: &World) {
    let input = EnableAWSServiceAccessRequest { service_principal: SERVICE.to_owned() };
    world.boss::<ops::EnableAWSServiceAccess>(input).await.unwrap();
}

fn new_policy(tags: Option<Vec<Tag>>) -> CreatePolicyRequest {
    CreatePolicyRequest {
        content: ADMIN.to_owned(),
        description: String::new(),
        name: "delegated".to_owned(),
        r#type: PolicyType::ServiceControlPolicy,
        tags,
    }
}

async fn create_policy(world: &World, caller: &Arc<Caller>) -> Result<(), Problem> {
    world.call::<ops::CreatePolicy>(caller, new_policy(None)).await.map(|_| ())
}

#[tokio::test]
async fn a_member_may_ask_what_organization_it_is_in_and_no_more() {
    let world = World::new().await;
    let member = world.admin(&world.account("one").await);
    world.call::<ops::DescribeOrganization>(&member, Unit).await.unwrap();
    let (code, message) =
        refusal(world.call::<ops::ListAccounts>(&member, Default::default()).await);
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(message, "You don't have permissions to access this resource.");
}

#[tokio::test]
async fn a_user_of_the_management_account_needs_a_policy() {
    let world = World::new().await;
    let nobody = world.kit.user(MANAGEMENT, "nobody", &[]);
    let (code, message) = refusal(world.call::<ops::ListRoots>(&nobody, Default::default()).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("organizations:ListRoots on resource: *"), "{message}");
}

#[tokio::test]
async fn conditions_see_the_type_of_a_policy() {
    let world = World::new().await;
    let only_tags = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*",
        "Resource":"*","Condition":{"StringEquals":{"organizations:PolicyType":"TAG_POLICY"}}}]}"#;
    let user = world.kit.user(MANAGEMENT, "tags", &[only_tags]);
    let list = |filter| ListPoliciesRequest { filter, ..Default::default() };
    world.call::<ops::ListPolicies>(&user, list(PolicyType::TagPolicy)).await.unwrap();
    let refused = world.call::<ops::ListPolicies>(&user, list(PolicyType::ServiceControlPolicy));
    assert_eq!(code(refused.await), "AccessDeniedException");
}

#[tokio::test]
async fn a_delegated_administrator_reads_and_does_not_write() {
    let world = World::new().await;
    let account = world.account("one").await;
    assert_eq!(reason(register(&world, &account).await), "SERVICE_ACCESS_NOT_ENABLED");
    trust(&world).await;
    let refused = register(&world, MANAGEMENT).await;
    assert_eq!(reason(refused), "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR");
    register(&world, &account).await.unwrap();
    assert_eq!(code(register(&world, &account).await), "AccountAlreadyRegisteredException");
    let member = world.admin(&account);
    world.call::<ops::ListAccounts>(&member, Default::default()).await.unwrap();
    assert_eq!(code(create_policy(&world, &member).await), "AccessDeniedException");

    let disable = DisableAWSServiceAccessRequest { service_principal: SERVICE.to_owned() };
    let refused = world.boss::<ops::DisableAWSServiceAccess>(disable.clone()).await;
    assert_eq!(reason(refused), "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE");
    let input = RemoveAccountFromOrganizationRequest { account_id: account.clone() };
    let refused = world.boss::<ops::RemoveAccountFromOrganization>(input).await;
    assert_eq!(reason(refused), "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG");

    let (account_id, service_principal) = (account, SERVICE.to_owned());
    let input = DeregisterDelegatedAdministratorRequest { account_id, service_principal };
    world.boss::<ops::DeregisterDelegatedAdministrator>(input).await.unwrap();
    let refused = world.call::<ops::ListAccounts>(&member, Default::default()).await;
    assert_eq!(code(refused), "AccessDeniedException");
    world.boss::<ops::DisableAWSServiceAccess>(disable).await.unwrap();
}

#[tokio::test]
async fn the_resource_policy_lets_a_member_account_manage_policies() {
    let world = World::new().await;
    let account = world.account("one").await;
    let member = world.admin(&account);
    assert_eq!(code(create_policy(&world, &member).await), "AccessDeniedException");
    let content = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
            "Principal":{{"AWS":"arn:aws:iam::{account}:root"}},
            "Action":["organizations:CreatePolicy","organizations:CreateOrganizationalUnit"],
            "Resource":"*"}}]}}"#
    );
    let input = PutResourcePolicyRequest { content, tags: None };
    world.boss::<ops::PutResourcePolicy>(input).await.unwrap();
    create_policy(&world, &member).await.unwrap();
    // It can delegate policies, and nothing else.
    let unit = CreateOrganizationalUnitRequest {
        parent_id: world.root().await,
        name: "unit".to_owned(),
        tags: None,
    };
    let refused = world.call::<ops::CreateOrganizationalUnit>(&member, unit).await;
    assert_eq!(code(refused), "AccessDeniedException");
    world.boss::<ops::DeleteResourcePolicy>(Unit).await.unwrap();
    assert_eq!(code(create_policy(&world, &member).await), "AccessDeniedException");
    let gone = world.boss::<ops::DescribeResourcePolicy>(Unit).await;
    assert_eq!(code(gone), "ResourcePolicyNotFoundException");
}

#[tokio::test]
async fn tags_hang_on_everything_that_can_be_named() {
    let world = World::new().await;
    let root = world.root().await;
    let unit = world.unit(&root, "unit").await;
    let account = world.account("one").await;
    let policy = world.policy("one", ADMIN).await;
    for resource_id in [root, unit, account, policy] {
        let tag = Tag { key: "team".to_owned(), value: "a".to_owned() };
        let input = TagResourceRequest { resource_id: resource_id.clone(), tags: vec![tag] };
        world.boss::<ops::TagResource>(input).await.unwrap();
        let list =
            ListTagsForResourceRequest { resource_id: resource_id.clone(), next_token: None };
        let tags =
            world.boss::<ops::ListTagsForResource>(list.clone()).await.unwrap().tags.unwrap();
        assert_eq!((tags[0].key.as_str(), tags[0].value.as_str()), ("team", "a"), "{resource_id}");
        let tag_keys = vec!["team".to_owned()];
        let input = UntagResourceRequest { resource_id, tag_keys };
        world.boss::<ops::UntagResource>(input).await.unwrap();
        let tags = world.boss::<ops::ListTagsForResource>(list).await.unwrap().tags.unwrap();
        assert!(tags.is_empty());
    }
}

#[tokio::test]
async fn the_resource_policy_means_the_user_who_had_the_name_when_it_was_put() {
    let world = World::new().await;
    let account = world.account("one").await;
    let member = world.admin(&account);
    let directory = world.kit.directory();
    let put = async |name: &str| {
        let content = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
                "Principal":{{"AWS":"arn:aws:iam::{account}:user/{name}"}},
                "Action":"organizations:CreatePolicy","Resource":"*"}}]}}"#
        );
        let input = PutResourcePolicyRequest { content, tags: None };
        world.boss::<ops::PutResourcePolicy>(input).await
    };
    let ghost = put("ghost").await;
    assert_eq!(reason(ghost), "INVALID_PRINCIPAL");
    let arn = format!("arn:aws:iam::{account}:user/admin");
    directory.make(&arn, "AIDAOFANEARLIERADMIN");
    put("admin").await.unwrap();
    directory.make(&arn, "AIDATESTADMIN");
    assert_eq!(code(create_policy(&world, &member).await), "AccessDeniedException");
    put("admin").await.unwrap();
    create_policy(&world, &member).await.unwrap();
}

fn role(value: &str) -> Option<Vec<Tag>> {
    Some(vec![Tag { key: "Role".to_owned(), value: value.to_owned() }])
}

/// Checks that an operation with tags needs `TagResource` on what it makes, in its `place` of the
/// management account, and without tags does not.
async fn tags_need<Op: Operation>(
    world: &World,
    place: &str,
    request: impl Fn(Option<Vec<Tag>>) -> Op::Input,
) where
    Organizations: Handle<Op>,
{
    let made = format!("arn:aws:organizations::{MANAGEMENT}:{place}");
    let not_admin = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny",
            "Action":"organizations:TagResource","Resource":"{made}*",
            "Condition":{{"StringEquals":{{"aws:RequestTag/Role":"admin"}},
                "ForAllValues:StringEquals":{{"aws:TagKeys":"Role"}}}}}}}}"#
    );
    let not_tag = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "NotAction":"organizations:TagResource","Resource":"*"}}"#;
    let denied = world.kit.user(MANAGEMENT, "denied", &[ADMIN, &not_admin]);
    let creator = world.kit.user(MANAGEMENT, "creator", &[not_tag]);
    let name = Op::SCHEMA.name;
    for caller in [&denied, &creator] {
        let (code, message) = refusal(world.call::<Op>(caller, request(role("admin"))).await);
        assert_eq!(code, "AccessDeniedException", "{name}");
        let told = format!("to perform: organizations:TagResource on resource: {made}");
        assert!(message.contains(&told), "{name}: {message}");
    }
    let outcome = world.call::<Op>(&creator, request(None)).await;
    assert!(outcome.is_ok(), "{name}: {:?}", outcome.err());
    // Whatever comes of it (the name is taken), this one is allowed.
    if let Err(problem) = world.call::<Op>(&denied, request(role("guest"))).await {
        assert_ne!(told(&problem).0, "AccessDeniedException", "{name}");
    }
}

#[tokio::test]
async fn who_may_create_and_not_tag_creates_without_tags_only() {
    let world = World::new().await;
    let parent_id = world.root().await;
    tags_need::<ops::CreateOrganizationalUnit>(&world, "ou/o-", |tags| {
        let (parent_id, name) = (parent_id.clone(), "unit".to_owned());
        CreateOrganizationalUnitRequest { parent_id, name, tags }
    })
    .await;
    tags_need::<ops::CreatePolicy>(&world, "policy/o-", new_policy).await;
    tags_need::<ops::CreateAccount>(&world, "account/o-", |tags| CreateAccountRequest {
        email: SecretString("one@example.com".to_owned()),
        account_name: SecretString("one".to_owned()),
        tags,
        ..Default::default()
    })
    .await;
    tags_need::<ops::InviteAccountToOrganization>(&world, "account/o-", |tags| {
        let id = SecretString(STRANGER.to_owned());
        let target = HandshakeParty { id, r#type: HandshakePartyType::Account };
        InviteAccountToOrganizationRequest { target, notes: None, tags }
    })
    .await;
    tags_need::<ops::PutResourcePolicy>(&world, "resourcepolicy/o-", |tags| {
        let content = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",
            "Action":"organizations:DescribePolicy","Resource":"*"}}"#;
        PutResourcePolicyRequest { content: content.to_owned(), tags }
    })
    .await;
}

#[tokio::test]
async fn a_member_account_creates_policies_with_tags_where_it_may_tag_them_too() {
    let world = World::new().await;
    let account = world.account("one").await;
    let member = world.admin(&account);
    let put = async |actions: &str| {
        let content = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",
                "Principal":{{"AWS":"arn:aws:iam::{account}:root"}},
                "Action":[{actions}],"Resource":"*"}}}}"#
        );
        let input = PutResourcePolicyRequest { content, tags: None };
        world.boss::<ops::PutResourcePolicy>(input).await.unwrap();
    };
    put(r#""organizations:CreatePolicy""#).await;
    let refused = world.call::<ops::CreatePolicy>(&member, new_policy(role("a"))).await;
    assert_eq!(code(refused), "AccessDeniedException");
    put(r#""organizations:CreatePolicy","organizations:TagResource""#).await;
    world.call::<ops::CreatePolicy>(&member, new_policy(role("a"))).await.unwrap();
}

#[tokio::test]
async fn tags_come_with_a_new_resource_policy_only() {
    let world = World::new().await;
    let put = async |action: &str, tags: Option<Vec<Tag>>| {
        let content = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*",
                "Action":"organizations:{action}","Resource":"*"}}}}"#
        );
        let input = PutResourcePolicyRequest { content, tags };
        world.boss::<ops::PutResourcePolicy>(input).await
    };
    put("DescribePolicy", role("a")).await.unwrap();
    let refused = put("ListPolicies", role("b")).await;
    assert_eq!(reason(refused), "TARGET_NOT_SUPPORTED");
    let kept = world.boss::<ops::DescribeResourcePolicy>(Unit).await.unwrap().resource_policy;
    assert!(kept.unwrap().content.unwrap().contains("DescribePolicy"));
    put("ListPolicies", Some(Vec::new())).await.unwrap();
    put("ListRoots", None).await.unwrap();
}
