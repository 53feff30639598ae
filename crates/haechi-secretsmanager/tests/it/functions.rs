//! Rotation by functions of users: what surrounds the steps.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::Source;
use haechi_secretsmanager::{RotationError, RotationFunctions};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_wire::Fault;

use crate::world::*;

/// A function that says yes to everything, and is told what it was called for.
#[derive(Default)]
struct Function(Mutex<Vec<String>>);

#[async_trait]
impl RotationFunctions for Function {
    async fn admits(&self, _: Source, _: &str) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn call(&self, _: Source, _: &str, event: String) -> Result<(), RotationError> {
        self.0.lock().unwrap().push(event);
        Ok(())
    }
}

async fn world() -> (World, Arc<Function>) {
    let world = World::new().await;
    let function = Arc::new(Function::default());
    world.secrets.call_functions(Arc::clone(&function) as _);
    world.create("s", "1").await;
    (world, function)
}

fn later() -> RotateSecretRequest {
    RotateSecretRequest {
        client_request_token: token(),
        secret_id: "s".to_owned(),
        rotation_lambda_arn: Some(format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f")),
        rotation_rules: Some(RotationRulesType {
            automatically_after_days: Some(30),
            ..Default::default()
        }),
        rotate_immediately: Some(false),
        ..Default::default()
    }
}

async fn stages(world: &World) -> Vec<Vec<String>> {
    world.describe("s").await.version_ids_to_stages.unwrap().into_values().collect()
}

#[tokio::test]
async fn a_try_of_the_function_alone_is_told_and_leaves_no_version() {
    let (world, function) = world().await;
    world.call::<ops::RotateSecret>(&world.root, later()).await.unwrap();
    assert_eq!(world.events().await, ["TestRotationStarted"]);
    assert_eq!(stages(&world).await.len(), 2);
    world.secrets.rotate_all().await.unwrap();
    // It is called apart.
    while stages(&world).await.len() == 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.events().await, ["TestRotationStarted", "TestRotationSucceeded"]);
    assert_eq!(stages(&world).await, [["AWSCURRENT"]]);
    let called = function.0.lock().unwrap();
    assert!(called.len() == 1 && called[0].contains("testSecret"), "{called:?}");
}

#[tokio::test]
async fn a_try_that_is_cancelled_leaves_no_version_either() {
    let (world, _) = world().await;
    world.call::<ops::RotateSecret>(&world.root, later()).await.unwrap();
    assert_eq!(stages(&world).await.len(), 2);
    let cancel = CancelRotateSecretRequest { secret_id: "s".to_owned() };
    let cancelled = world.call::<ops::CancelRotateSecret>(&world.root, cancel).await.unwrap();
    assert_eq!(cancelled.version_id, None);
    assert_eq!(stages(&world).await, [["AWSCURRENT"]]);
    // Nothing is in the way of the next rotation; one that was begun in earnest keeps its version.
    let now = RotateSecretRequest { rotate_immediately: None, ..later() };
    let begun = world.call::<ops::RotateSecret>(&world.root, now).await.unwrap();
    let cancel = CancelRotateSecretRequest { secret_id: "s".to_owned() };
    let cancelled = world.call::<ops::CancelRotateSecret>(&world.root, cancel).await.unwrap();
    assert_eq!(cancelled.version_id, begun.version_id);
    assert_eq!(stages(&world).await.len(), 2);
}
