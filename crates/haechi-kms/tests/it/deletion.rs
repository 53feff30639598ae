use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Timestamp;

use crate::world::*;

#[tokio::test]
async fn the_answer_says_when_the_key_goes() {
    let world = World::new().await;
    let key = world.key().await;
    let input = ScheduleKeyDeletionRequest { key_id: key.key_id.clone(), ..Default::default() };
    let output = world.call::<ops::ScheduleKeyDeletion>(&world.root, input).await.unwrap();
    let date = Timestamp::from_seconds(1_767_225_600 + 30 * 24 * 60 * 60);
    assert_eq!(output.key_id, key.arn);
    assert_eq!(output.deletion_date, Some(date));
    assert_eq!(output.key_state, Some(KeyState::PendingDeletion));
    assert_eq!(output.pending_window_in_days, Some(30));
    let key = world.describe(&key.key_id).await.unwrap();
    assert_eq!((key.deletion_date, key.enabled), (Some(date), Some(false)));
}

#[tokio::test]
async fn the_window_is_seven_to_thirty_days() {
    let world = World::new().await;
    for days in [6, 31] {
        let key = world.key().await;
        let input =
            ScheduleKeyDeletionRequest { key_id: key.key_id, pending_window_in_days: Some(days) };
        let message = format!("PendingWindowInDays should be between 7 and 30, but it is {days}");
        let outcome = world.call::<ops::ScheduleKeyDeletion>(&world.root, input).await;
        assert_refused(outcome, "ValidationException", &message);
    }
}

#[tokio::test]
async fn at_its_date_the_key_its_aliases_and_its_ciphertexts_are_lost() {
    let world = World::new().await;
    let (key, other) = (world.key().await, world.key().await);
    world.alias("alias/doomed", &key.key_id).await;
    world.alias("alias/spared", &other.key_id).await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.schedule_deletion(&key.key_id, 7).await;
    world.pass_days(6).await;
    assert!(world.describe("alias/doomed").await.is_ok());
    world.pass_days(1).await;
    let message = format!("Key '{}' does not exist", key.arn.unwrap());
    assert_refused(world.describe(&key.key_id).await, "NotFoundException", &message);
    assert_refused(
        world.describe("alias/doomed").await,
        "NotFoundException",
        "Alias arn:aws:kms:us-east-1:111111111111:alias/doomed is not found.",
    );
    assert_refused(world.decrypt(&world.root, &blob).await, "InvalidCiphertextException", "");
    assert!(world.describe("alias/spared").await.is_ok());
}

#[tokio::test]
async fn nothing_of_a_deleted_key_remains_in_the_store() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/doomed", &key.key_id).await;
    world.schedule_deletion(&key.key_id, 7).await;
    world.pass_days(7).await;
    for prefix in ["/kms/", "/kms-handle/", "/jobs/"] {
        let range = haechi_store::Range::prefix(prefix);
        let page = world.kit.database.store().range(range, 0, None).await.unwrap();
        let mut keys = page.kvs.iter().map(|row| String::from_utf8_lossy(row.key.as_bytes()));
        // Nobody listens here to what tells of it.
        let left = keys.find(|key| !key.contains("/record/") && !key.contains("/event/"));
        assert_eq!(left, None);
    }
}

#[tokio::test]
async fn a_cancelled_deletion_leaves_the_key_disabled_and_does_not_happen() {
    let world = World::new().await;
    let key = world.key().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.schedule_deletion(&key.key_id, 7).await;
    let cancel = || CancelKeyDeletionRequest { key_id: key.key_id.clone() };
    let output = world.call::<ops::CancelKeyDeletion>(&world.root, cancel()).await.unwrap();
    assert_eq!(output.key_id, key.arn);
    world.pass_days(40).await;
    let after = world.describe(&key.key_id).await.unwrap();
    assert_eq!((after.key_state, after.deletion_date), (Some(KeyState::Disabled), None));
    let input = EnableKeyRequest { key_id: key.key_id.clone() };
    world.call::<ops::EnableKey>(&world.root, input).await.unwrap();
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    let message = format!("{} is not pending deletion.", key.arn.as_ref().unwrap());
    let outcome = world.call::<ops::CancelKeyDeletion>(&world.root, cancel()).await;
    assert_refused(outcome, "KMSInvalidStateException", &message);
}

#[tokio::test]
async fn a_deletion_scheduled_anew_happens_at_its_new_date_only() {
    let world = World::new().await;
    let key = world.key().await;
    world.schedule_deletion(&key.key_id, 7).await;
    let input = CancelKeyDeletionRequest { key_id: key.key_id.clone() };
    world.call::<ops::CancelKeyDeletion>(&world.root, input).await.unwrap();
    world.schedule_deletion(&key.key_id, 20).await;
    world.pass_days(8).await;
    assert!(world.describe(&key.key_id).await.is_ok());
    world.pass_days(12).await;
    assert_eq!(refused(world.describe(&key.key_id).await).0, "NotFoundException");
}

#[tokio::test]
async fn a_policy_can_demand_a_longer_window() {
    let world = World::new().await;
    let key = world.key().await;
    let user = world.kit.user(
        ACCOUNT,
        "careful",
        &[r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Action":"kms:ScheduleKeyDeletion","Resource":"*","Condition":{
            "NumericGreaterThanEquals":{"kms:ScheduleKeyDeletionPendingWindowInDays":"20"}}}]}"#],
    );
    let input = |days| ScheduleKeyDeletionRequest {
        key_id: key.key_id.clone(),
        pending_window_in_days: Some(days),
    };
    let outcome = world.call::<ops::ScheduleKeyDeletion>(&user, input(10)).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
    assert!(world.call::<ops::ScheduleKeyDeletion>(&user, input(20)).await.is_ok());
}
