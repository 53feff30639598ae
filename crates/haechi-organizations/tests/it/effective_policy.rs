//! `DescribeEffectivePolicy`.

use haechi_organizations_model::ops;
use haechi_organizations_model::shapes::*;
use haechi_wire::Problem;

use crate::world::{World, code};

const KIND: PolicyType = PolicyType::TagPolicy;

async fn effective(world: &World, asker: &str, target: &str) -> Result<String, Problem> {
    let input = DescribeEffectivePolicyRequest {
        policy_type: EffectivePolicyType::TagPolicy,
        target_id: Some(target.to_owned()),
    };
    let found = world.call::<ops::DescribeEffectivePolicy>(&world.admin(asker), input).await?;
    Ok(found.effective_policy.unwrap().policy_content.unwrap())
}

#[tokio::test]
async fn an_account_gets_what_its_line_comes_to() {
    let world = World::new().await;
    let root = world.root().await;
    let account = world.account("one").await;
    assert_eq!(
        code(effective(&world, &account, &account).await),
        "EffectivePolicyNotFoundException"
    );
    world.enable(KIND).await.unwrap();
    let above =
        r#"{"tags":{"center":{"tag_key":{"@@assign":"Center"},"tag_value":{"@@assign":["a"]}}}}"#;
    let below = r#"{"tags":{"center":{"tag_value":{"@@append":["b"]}}}}"#;
    let above = world.policy_of(KIND, "above", above).await.unwrap();
    let below = world.policy_of(KIND, "below", below).await.unwrap();
    world.attach(&above, &root).await.unwrap();
    world.attach(&below, &account).await.unwrap();
    let expected = r#"{"tags":{"center":{"tag_key":"Center","tag_value":["a","b"]}}}"#;
    assert_eq!(effective(&world, &account, &account).await.unwrap(), expected);
}

#[tokio::test]
async fn an_account_is_not_told_of_another() {
    let world = World::new().await;
    let (one, two) = (world.account("one").await, world.account("two").await);
    assert_eq!(code(effective(&world, &one, &two).await), "AccessDeniedException");
}
