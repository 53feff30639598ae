//! Every limit, at its edge.

use std::sync::Arc;

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{World, code, new_value, string, words};

fn tier(tier: ParameterTier, input: PutParameterRequest) -> PutParameterRequest {
    PutParameterRequest { tier: Some(tier), ..input }
}

#[tokio::test]
async fn a_value_has_four_kilobytes_or_eight_by_tier() {
    let world = World::new().await;
    let standard = |bytes: usize| string("/s", &"x".repeat(bytes));
    world.put(standard(4096)).await;
    let long = PutParameterRequest { overwrite: Some(true), ..standard(4097) };
    let refused = world.call::<ops::PutParameter>(long).await;
    assert!(words(refused).starts_with(
        "Standard tier parameters support a maximum parameter value of 4096 characters."
    ));
    let advanced = |bytes: usize| {
        tier(ParameterTier::Advanced, string(&format!("/a{bytes}"), &"x".repeat(bytes)))
    };
    world.put(advanced(8192)).await;
    let refused = world.call::<ops::PutParameter>(advanced(8193)).await;
    assert_eq!(
        words(refused),
        "The specified parameter value is too large. Advanced-tier parameters support a maximum \
         parameter value of 8192 characters."
    );
    let refused = world.call::<ops::PutParameter>(advanced(32_769)).await;
    assert!(words(refused).contains("less than or equal to 32768"));
    assert_eq!(
        code(world.call::<ops::PutParameter>(string("/e", "")).await),
        "ValidationException"
    );
}

#[tokio::test]
async fn a_name_has_fifteen_levels_and_1011_characters_with_its_arn() {
    let world = World::new().await;
    let levels = |count: usize| "/l".repeat(count);
    world.put(string(&levels(15), "v")).await;
    assert_eq!(world.value(&levels(15)).await, "v");
    let deep = world.call::<ops::PutParameter>(string(&levels(16), "v")).await;
    assert_eq!(code(deep), "HierarchyLevelLimitExceededException");
    let before = "arn:aws:ssm:us-east-1:111111111111:parameter/".len();
    world.put(string(&"n".repeat(1011 - before), "v")).await;
    let long = world.call::<ops::PutParameter>(string(&"n".repeat(1012 - before), "v")).await;
    assert_eq!(code(long), "ValidationException");
}

#[tokio::test]
async fn a_tier_goes_up_and_never_down() {
    let world = World::new().await;
    world.put(string("/a", "1")).await;
    let up = world.put(tier(ParameterTier::Advanced, new_value("/a", "2"))).await;
    assert_eq!(up.tier, Some(ParameterTier::Advanced));
    // What names no tier keeps it.
    assert_eq!(world.put(new_value("/a", "3")).await.tier, Some(ParameterTier::Advanced));
    let down = tier(ParameterTier::Standard, new_value("/a", "4"));
    let refused = world.call::<ops::PutParameter>(down).await;
    assert!(words(refused).starts_with("This parameter uses the advanced-parameter tier."));
}

#[tokio::test]
async fn intelligent_tiering_chooses() {
    let world = World::new().await;
    let put = async |name: &str, bytes: usize| {
        let input = tier(ParameterTier::IntelligentTiering, string(name, &"x".repeat(bytes)));
        world.put(input).await.tier.unwrap()
    };
    assert_eq!(put("/small", 4096).await, ParameterTier::Standard);
    assert_eq!(put("/large", 4097).await, ParameterTier::Advanced);
    let url = PutParameterRequest {
        data_type: Some("url".to_owned()),
        ..tier(ParameterTier::IntelligentTiering, string("/url", "https://example.com/"))
    };
    assert_eq!(world.put(url).await.tier, Some(ParameterTier::Advanced));
    let standard =
        PutParameterRequest { data_type: Some("json".to_owned()), ..string("/json", "{}") };
    assert_eq!(code(world.call::<ops::PutParameter>(standard).await), "ValidationException");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_ten_thousand_standard_parameters_also_if_many_make_them_at_once() {
    let world = Arc::new(World::new().await);
    let makers = (0..50).map(|maker| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for number in (maker..10_000).step_by(50) {
                world.put(string(&format!("/n/{number}"), "v")).await;
            }
        })
    });
    for maker in makers.collect::<Vec<_>>() {
        maker.await.unwrap();
    }
    let more = world.call::<ops::PutParameter>(string("/more", "v")).await;
    assert_eq!(code(more), "ParameterLimitExceeded");
    // An existing one is written all the same, an advanced one made, an intelligent one advanced.
    world.put(new_value("/n/7", "w")).await;
    world.put(tier(ParameterTier::Advanced, string("/advanced", "v"))).await;
    let chosen = world.put(tier(ParameterTier::IntelligentTiering, string("/chosen", "v"))).await;
    assert_eq!(chosen.tier, Some(ParameterTier::Advanced));
    // What goes, or goes up, makes room.
    world.delete("/n/0").await.unwrap();
    world.put(string("/more", "v")).await;
    assert_eq!(
        code(world.call::<ops::PutParameter>(string("/x", "v")).await),
        "ParameterLimitExceeded"
    );
    world.put(tier(ParameterTier::Advanced, new_value("/n/1", "v"))).await;
    world.put(string("/x", "v")).await;
    // A page of a path is as small as ever.
    let page = GetParametersByPathRequest { path: "/n".to_owned(), ..Default::default() };
    assert_eq!(world.by_path(page).await.0.len(), 10);
}
