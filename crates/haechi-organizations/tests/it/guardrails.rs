//! What policies of the organization do to calls of other services.

use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;
use haechi_wire::Problem;

use crate::world::{MANAGEMENT, STRANGER, World, deny, refusal};

const CREATE: &str = "kms:CreateKey";

async fn world() -> World {
    let world = World::new().await;
    world.enable(PolicyType::ServiceControlPolicy).await.unwrap();
    world
}

fn denied_by_control<T>(outcome: Result<T, Problem>) {
    let (code, message) = refusal(outcome);
    assert_eq!(code, "AccessDeniedException");
    let explicit = "with an explicit deny in a service control policy";
    assert!(message.ends_with(explicit), "{message}");
}

#[tokio::test]
async fn a_denial_stops_an_allowed_user_of_a_member_account_and_its_root_user() {
    let world = world().await;
    let account = world.account("one").await;
    let policy = world.policy("no keys", &deny(CREATE)).await;
    world.key(&world.admin(&account)).await.unwrap();
    world.attach(&policy, &account).await.unwrap();
    denied_by_control(world.key(&world.admin(&account)).await);
    denied_by_control(world.key(&world.kit.root(&account)).await);
}

#[tokio::test]
async fn the_management_account_and_strangers_are_left_alone() {
    let world = world().await;
    let policy = world.policy("nothing", &deny("*")).await;
    world.attach(&policy, &world.root().await).await.unwrap();
    world.key(&world.boss).await.unwrap();
    world.attach(&policy, MANAGEMENT).await.unwrap();
    world.key(&world.boss).await.unwrap();
    world.key(&world.admin(STRANGER)).await.unwrap();
}

#[tokio::test]
async fn a_policy_binds_everything_below_the_root_or_unit_that_it_is_attached_to() {
    let world = world().await;
    let root = world.root().await;
    let (upper, other) = (world.unit(&root, "upper").await, world.unit(&root, "other").await);
    let lower = world.unit(&upper, "lower").await;
    let (inside, outside) = (world.account("inside").await, world.account("outside").await);
    world.move_account(&inside, &root, &lower).await;
    world.move_account(&outside, &root, &other).await;
    let policy = world.policy("no keys", &deny(CREATE)).await;
    world.attach(&policy, &upper).await.unwrap();
    denied_by_control(world.key(&world.admin(&inside)).await);
    world.key(&world.admin(&outside)).await.unwrap();
    world.attach(&policy, &root).await.unwrap();
    denied_by_control(world.key(&world.admin(&outside)).await);
}

#[tokio::test]
async fn each_level_must_allow() {
    let world = world().await;
    let root = world.root().await;
    let unit = world.unit(&root, "unit").await;
    let account = world.account("one").await;
    world.move_account(&account, &root, &unit).await;
    let only_iam = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:*","Resource":"*"}]}"#;
    let policy = world.policy("only iam", only_iam).await;
    world.attach(&policy, &unit).await.unwrap();
    world.key(&world.admin(&account)).await.unwrap();
    // Now nothing allows keys on the level of the unit; root and account still do.
    world.detach("p-FullAWSAccess", &unit).await.unwrap();
    let (_, message) = refusal(world.key(&world.admin(&account)).await);
    let implicit = "because no service control policy allows the kms:CreateKey action";
    assert!(message.ends_with(implicit), "{message}");
    world.attach("p-FullAWSAccess", &unit).await.unwrap();
    world.key(&world.admin(&account)).await.unwrap();
}

#[tokio::test]
async fn a_policy_allows_nothing_by_itself() {
    let world = world().await;
    let account = world.account("one").await;
    let nobody = world.kit.user(&account, "nobody", &[]);
    let (code, message) = refusal(world.key(&nobody).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("because no identity-based policy allows"), "{message}");
}

#[tokio::test]
async fn detaching_changing_moving_and_disabling_count_from_the_next_call_on() {
    let world = world().await;
    let root = world.root().await;
    let unit = world.unit(&root, "unit").await;
    let account = world.account("one").await;
    let admin = world.admin(&account);
    let policy = world.policy("no keys", &deny(CREATE)).await;

    world.attach(&policy, &account).await.unwrap();
    denied_by_control(world.key(&admin).await);
    world.detach(&policy, &account).await.unwrap();
    world.key(&admin).await.unwrap();

    world.attach(&policy, &unit).await.unwrap();
    world.key(&admin).await.unwrap();
    world.move_account(&account, &root, &unit).await;
    denied_by_control(world.key(&admin).await);

    let input = UpdatePolicyRequest {
        policy_id: policy.clone(),
        content: Some(deny("kms:DescribeKey")),
        ..Default::default()
    };
    world.boss::<ops::UpdatePolicy>(input).await.unwrap();
    let key = world.key(&admin).await.unwrap();
    denied_by_control(world.describe_key(&admin, &key).await);

    let policy_type = PolicyType::ServiceControlPolicy;
    let input = DisablePolicyTypeRequest { root_id: root, policy_type };
    world.boss::<ops::DisablePolicyType>(input).await.unwrap();
    world.describe_key(&admin, &key).await.unwrap();
    // Enabling again begins anew: what was attached is not.
    world.enable(policy_type).await.unwrap();
    world.describe_key(&admin, &key).await.unwrap();
}

#[tokio::test]
async fn an_account_that_leaves_is_free_at_once() {
    let world = world().await;
    let account = world.account("one").await;
    let policy = world.policy("no keys", &deny(CREATE)).await;
    world.attach(&policy, &world.root().await).await.unwrap();
    denied_by_control(world.key(&world.admin(&account)).await);
    let input = RemoveAccountFromOrganizationRequest { account_id: account.clone() };
    world.boss::<ops::RemoveAccountFromOrganization>(input).await.unwrap();
    world.key(&world.admin(&account)).await.unwrap();
}

#[tokio::test]
async fn nobody_in_a_closed_account_may_do_anything() {
    let world = World::new().await;
    let account = world.account("one").await;
    let close = CloseAccountRequest { account_id: account.clone() };
    world.boss::<ops::CloseAccount>(close.clone()).await.unwrap();
    let (code, _) = refusal(world.key(&world.kit.root(&account)).await);
    assert_eq!(code, "AccessDeniedException");
    let (code, _) = refusal(world.boss::<ops::CloseAccount>(close).await);
    assert_eq!(code, "AccountAlreadyClosedException");
}

/// A resource control policy that only principals of the organization pass.
const INSIDERS_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny",
    "Principal":"*","Action":"kms:*","Resource":"*",
    "Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}}]}"#;

#[tokio::test]
async fn a_resource_control_policy_keeps_outsiders_from_a_key_that_lets_everyone_in() {
    let world = World::new().await;
    let account = world.account("one").await;
    let open = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},
              "Action":"kms:*","Resource":"*"}},
            {{"Effect":"Allow","Principal":"*","Action":"kms:DescribeKey","Resource":"*"}}]}}"#
    );
    let key = world.key_under(&world.admin(&account), &open).await.unwrap();
    let outsider = world.admin(STRANGER);
    world.describe_key(&outsider, &key).await.unwrap();

    let kind = PolicyType::ResourceControlPolicy;
    world.enable(kind).await.unwrap();
    world.describe_key(&outsider, &key).await.unwrap();
    // A key of an outsider sees no difference: nothing binds its account.
    let policy = world.policy_of(kind, "insiders", INSIDERS_ONLY).await.unwrap();
    world.attach(&policy, &world.root().await).await.unwrap();
    let (code, message) = refusal(world.describe_key(&outsider, &key).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("resource control policy"), "{message}");
    world.describe_key(&world.admin(&account), &key).await.unwrap();
    world.describe_key(&world.boss, &key).await.unwrap();

    world.detach(&policy, &world.root().await).await.unwrap();
    world.describe_key(&outsider, &key).await.unwrap();
}

#[tokio::test]
async fn resource_control_leaves_the_management_accounts_keys_alone() {
    let world = World::new().await;
    let key = world.key(&world.boss).await.unwrap();
    let kind = PolicyType::ResourceControlPolicy;
    world.enable(kind).await.unwrap();
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
        "Action":"kms:*","Resource":"*"}]}"#;
    let policy = world.policy_of(kind, "nothing", all).await.unwrap();
    world.attach(&policy, &world.root().await).await.unwrap();
    world.describe_key(&world.boss, &key).await.unwrap();
}

#[tokio::test]
async fn conditions_see_the_organization_and_the_path_of_principal_and_resource() {
    let world = World::new().await;
    let root = world.root().await;
    let unit = world.unit(&root, "unit").await;
    let account = world.account("one").await;
    world.move_account(&account, &root, &unit).await;
    let organization = world.boss::<ops::DescribeOrganization>(haechi_wire::shape::Unit).await;
    let id = organization.unwrap().organization.unwrap().id.unwrap();
    let user = |conditions: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*",
                "Resource":"*","Condition":{{{conditions}}}}}]}}"#
        );
        world.kit.user(&account, "user", &[&policy])
    };
    for matching in [
        format!(r#""StringEquals":{{"aws:PrincipalOrgID":"{id}"}}"#),
        format!(r#""StringEquals":{{"aws:ResourceOrgID":"{id}"}}"#),
        format!(r#""ForAnyValue:StringLike":{{"aws:PrincipalOrgPaths":"{id}/{root}/{unit}/*"}}"#),
        format!(r#""ForAnyValue:StringEquals":{{"aws:ResourceOrgPaths":"{id}/{root}/{unit}/"}}"#),
    ] {
        world.key(&user(&matching)).await.unwrap();
    }
    for other in [
        r#""StringEquals":{"aws:PrincipalOrgID":"o-aaaaaaaaaa"}"#.to_owned(),
        format!(r#""ForAnyValue:StringEquals":{{"aws:PrincipalOrgPaths":"{id}/{root}/"}}"#),
    ] {
        assert_eq!(refusal(world.key(&user(&other)).await).0, "AccessDeniedException", "{other}");
    }
    // A member of no organization has no such key at all.
    let outsider = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*",
        "Resource":"*","Condition":{"Null":{"aws:PrincipalOrgID":"true"}}}]}"#;
    world.key(&world.kit.user(STRANGER, "user", &[outsider])).await.unwrap();
}

#[tokio::test]
async fn a_warm_call_builds_no_guardrails_anew() {
    use haechi_core::GuardrailSource;
    let world = world().await;
    let account = world.account("one").await;
    let before = world.organizations.guardrails().await.unwrap();
    world.key(&world.admin(&account)).await.unwrap();
    let after = world.organizations.guardrails().await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&before, &after), "a write to a key concerns no guardrail");
    let policy = world.policy("no keys", &deny(CREATE)).await;
    world.attach(&policy, &account).await.unwrap();
    let changed = world.organizations.guardrails().await.unwrap();
    assert!(!std::sync::Arc::ptr_eq(&after, &changed));
    let caller = world.admin(&account);
    let cx = world.kit.cx::<ops::ListRoots>(&caller);
    cx.guard(changed);
    assert_eq!(cx.guardrails().service_control(&caller.principal).len(), 2, "root and account");
}
