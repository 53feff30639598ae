//! Service settings.

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{World, code, new_value, string};

const TIER: &str = "/ssm/parameter-store/default-parameter-tier";

async fn get(world: &World, id: &str) -> Result<ServiceSetting, &'static str> {
    let input = GetServiceSettingRequest { setting_id: id.to_owned() };
    match world.call::<ops::GetServiceSetting>(input).await {
        Ok(answer) => Ok(answer.service_setting.unwrap()),
        refused => Err(code(refused)),
    }
}

async fn update(world: &World, value: &str) -> &'static str {
    let (setting_id, setting_value) = (TIER.to_owned(), value.to_owned());
    let input = UpdateServiceSettingRequest { setting_id, setting_value };
    code(world.call::<ops::UpdateServiceSetting>(input).await)
}

#[tokio::test]
async fn the_default_tier_binds_requests_that_name_none() {
    let world = World::new().await;
    let setting = get(&world, TIER).await.unwrap();
    assert_eq!(setting.setting_value.as_deref(), Some("Standard"));
    assert_eq!(setting.status.as_deref(), Some("Default"));
    assert_eq!(update(&world, "Intelligent-Tiering").await, "no error");
    let put = world.put(string("/long", &"x".repeat(5000))).await;
    assert_eq!(put.tier, Some(ParameterTier::Advanced));
    assert_eq!(update(&world, "Advanced").await, "no error");
    assert_eq!(world.put(string("/a", "1")).await.tier, Some(ParameterTier::Advanced));
    let input = ResetServiceSettingRequest { setting_id: TIER.to_owned() };
    let reset = world.call::<ops::ResetServiceSetting>(input).await.unwrap();
    assert_eq!(reset.service_setting.unwrap().setting_value.as_deref(), Some("Standard"));
    assert_eq!(world.put(string("/b", "1")).await.tier, Some(ParameterTier::Standard));
    // An advanced one stays so.
    assert_eq!(world.put(new_value("/a", "2")).await.tier, Some(ParameterTier::Advanced));
}

#[tokio::test]
async fn a_setting_is_named_by_id_or_arn_and_takes_its_values_only() {
    let world = World::new().await;
    let arn = "arn:aws:ssm:us-east-1:111111111111:servicesetting/ssm/parameter-store/high-throughput-enabled";
    let setting = get(&world, arn).await.unwrap();
    assert_eq!(setting.arn.as_deref(), Some(arn));
    assert_eq!(setting.setting_value.as_deref(), Some("false"));
    assert_eq!(update(&world, "Gold").await, "ValidationException");
    assert_eq!(get(&world, "/ssm/none").await.err(), Some("ServiceSettingNotFound"));
    let elsewhere = get(&world, "/ssm/opsinsights/opscenter").await;
    assert_eq!(elsewhere.err(), Some("UnsupportedOperation"));
}
