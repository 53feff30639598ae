use haechi_kms_model::ops::GenerateRandom;
use haechi_kms_model::shapes::GenerateRandomRequest;

use crate::world::*;

fn bytes(number: i32) -> GenerateRandomRequest {
    GenerateRandomRequest { number_of_bytes: Some(number), ..Default::default() }
}

#[tokio::test]
async fn as_many_bytes_come_as_were_asked_for() {
    let world = World::new().await;
    for number in [1, 12, 1024] {
        let output = world.call::<GenerateRandom>(&world.root, bytes(number)).await.unwrap();
        assert_eq!(output.plaintext.unwrap().0.len(), usize::try_from(number).unwrap());
    }
}

#[tokio::test]
async fn the_number_is_required() {
    let world = World::new().await;
    let outcome = world.call::<GenerateRandom>(&world.root, GenerateRandomRequest::default()).await;
    assert_refused(outcome, "ValidationException", "NumberOfBytes is required.");
}

#[tokio::test]
async fn a_caller_without_permission_is_denied() {
    let world = World::new().await;
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    assert_refused(
        world.call::<GenerateRandom>(&nobody, bytes(8)).await,
        "AccessDeniedException",
        "User: arn:aws:iam::111111111111:user/nobody is not authorized to perform: \
         kms:GenerateRandom on resource: * because no identity-based policy allows the \
         kms:GenerateRandom action",
    );
}
