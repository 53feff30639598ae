//! What EventBridge is told.

use haechi_ssm_model::shapes::*;

use crate::world::{World, new_value, secure, string};

#[tokio::test]
async fn each_change_is_one_event_without_the_value() {
    let world = World::new().await;
    world
        .put(PutParameterRequest { description: Some("d".to_owned()), ..secure("/a", "hunter2") })
        .await;
    let mut told = world.events().await;
    world.put(new_value("/a", "hunter3")).await;
    told.extend(world.events().await);
    world.label("/a", 1, &["live"]).await.unwrap();
    told.extend(world.events().await);
    world.delete("/a").await.unwrap();
    told.extend(world.events().await);
    let operations: Vec<&str> =
        told.iter().map(|event| event.detail["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["Create", "Update", "LabelParameterVersion", "Delete"]);
    for event in &told {
        assert_eq!(event.source, "aws.ssm");
        assert_eq!(event.detail_type, "Parameter Store Change");
        assert_eq!(event.resources, ["arn:aws:ssm:us-east-1:111111111111:parameter/a"]);
        assert_eq!(event.detail["name"], "/a");
        assert_eq!(event.detail["type"], "SecureString");
        assert_eq!(event.detail["description"], "d");
        assert!(!event.detail.to_string().contains("hunter"));
    }
}

#[tokio::test]
async fn what_was_refused_or_changed_nothing_is_no_event() {
    let world = World::new().await;
    world.put(string("/a", "1")).await;
    world.label("/a", 1, &["live"]).await.unwrap();
    world.events().await;
    world.label("/a", 1, &["live"]).await.unwrap();
    assert!(world.get("/b").await.is_err());
    assert!(world.delete("/b").await.is_err());
    assert!(world.call::<haechi_ssm_model::ops::PutParameter>(string("/a", "2")).await.is_err());
    assert!(world.events().await.is_empty());
}
