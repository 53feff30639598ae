//! `EnableKeyRotation`, `DisableKeyRotation`, `GetKeyRotationStatus`, `RotateKeyOnDemand`,
//! `ListKeyRotations`.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Problem, Timestamp};

use crate::world::*;

impl World {
    async fn enable_rotation(&self, key_id: &str, period: Option<i32>) -> Result<(), Problem> {
        let input =
            EnableKeyRotationRequest { key_id: key_id.to_owned(), rotation_period_in_days: period };
        self.call::<ops::EnableKeyRotation>(&self.root, input).await.map(|_| ())
    }

    async fn rotation_status(&self, key_id: &str) -> GetKeyRotationStatusResponse {
        let input = GetKeyRotationStatusRequest { key_id: key_id.to_owned() };
        self.call::<ops::GetKeyRotationStatus>(&self.root, input).await.unwrap()
    }

    pub async fn rotate(&self, key_id: &str) -> Result<(), Problem> {
        let input = RotateKeyOnDemandRequest { key_id: key_id.to_owned() };
        self.call::<ops::RotateKeyOnDemand>(&self.root, input).await.map(|_| ())
    }

    pub async fn rotations(&self, key_id: &str, all: bool) -> Vec<RotationsListEntry> {
        let input = ListKeyRotationsRequest {
            key_id: key_id.to_owned(),
            include_key_material: all.then_some(IncludeKeyMaterial::AllKeyMaterial),
            ..Default::default()
        };
        let output = self.call::<ops::ListKeyRotations>(&self.root, input).await.unwrap();
        assert_eq!(output.truncated, Some(false));
        output.rotations.unwrap()
    }
}

#[tokio::test]
async fn rotation_is_off_until_enabled_and_the_period_is_a_year_by_default() {
    let world = World::new().await;
    let id = world.key().await.key_id;
    let status = world.rotation_status(&id).await;
    assert_eq!((status.key_rotation_enabled, status.rotation_period_in_days), (Some(false), None));
    world.enable_rotation(&id, None).await.unwrap();
    let status = world.rotation_status(&id).await;
    assert_eq!(status.key_rotation_enabled, Some(true));
    assert_eq!(status.rotation_period_in_days, Some(365));
    let next = world.kit.env.now().plus_seconds(365 * 86_400);
    assert_eq!(status.next_rotation_date, Some(next));
    let input = DisableKeyRotationRequest { key_id: id.clone() };
    world.call::<ops::DisableKeyRotation>(&world.root, input).await.unwrap();
    assert_eq!(world.rotation_status(&id).await.key_rotation_enabled, Some(false));
    world.pass_days(400).await;
    assert!(world.rotations(&id, false).await.is_empty());
}

#[tokio::test]
async fn a_key_rotates_at_its_date_and_old_ciphertexts_open_for_ever() {
    let world = World::new().await;
    let key = world.key().await;
    let old = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.enable_rotation(&key.key_id, Some(90)).await.unwrap();
    world.pass_days(89).await;
    let unchanged = world.describe(&key.key_id).await.unwrap();
    assert_eq!(unchanged.current_key_material_id, key.current_key_material_id);
    world.pass_days(1).await;
    let rotated = world.describe(&key.key_id).await.unwrap();
    assert_ne!(rotated.current_key_material_id, key.current_key_material_id);

    let new = world.encrypt(&world.root, &key.key_id).await.unwrap();
    for (blob, material) in
        [(&old, &key.current_key_material_id), (&new, &rotated.current_key_material_id)]
    {
        let output = world.call::<ops::Decrypt>(&world.root, sealed(blob)).await.unwrap();
        assert_eq!(output.plaintext.unwrap().0, PLAINTEXT);
        assert_eq!(&output.key_material_id, material);
    }
    let rotations = world.rotations(&key.key_id, false).await;
    assert_eq!(rotations.len(), 1);
    assert_eq!(rotations[0].rotation_type, Some(RotationType::Automatic));
    assert_eq!(rotations[0].rotation_date, Some(world.kit.env.now()));
    let all = world.rotations(&key.key_id, true).await;
    let states: Vec<_> = all.iter().map(|entry| entry.key_material_state.unwrap()).collect();
    assert_eq!(states, [KeyMaterialState::NonCurrent, KeyMaterialState::Current]);
    assert_eq!(all[0].rotation_date, None);
}

#[tokio::test]
async fn rotations_that_were_missed_are_made_up_for_at_their_dates() {
    let world = World::new().await;
    let key = world.key().await;
    let start = world.kit.env.now();
    world.enable_rotation(&key.key_id, Some(100)).await.unwrap();
    world.pass_days(350).await;
    let dates: Vec<Timestamp> = world
        .rotations(&key.key_id, false)
        .await
        .into_iter()
        .map(|entry| entry.rotation_date.unwrap())
        .collect();
    let expected = [100, 200, 300].map(|days| start.plus_seconds(days * 86_400));
    assert_eq!(dates, expected);
    let next = world.rotation_status(&key.key_id).await.next_rotation_date;
    assert_eq!(next, Some(start.plus_seconds(400 * 86_400)));
}

#[tokio::test]
async fn a_disabled_key_does_not_rotate_until_it_is_enabled() {
    let world = World::new().await;
    let key = world.key().await;
    world.enable_rotation(&key.key_id, Some(90)).await.unwrap();
    world.disable(&key.key_id).await;
    world.pass_days(95).await;
    assert!(world.rotations(&key.key_id, false).await.is_empty());
    assert_eq!(refused(world.enable_rotation(&key.key_id, None).await).0, "DisabledException");
    let input = EnableKeyRequest { key_id: key.key_id.clone() };
    world.call::<ops::EnableKey>(&world.root, input).await.unwrap();
    world.kit.jobs.run_due().await.unwrap();
    assert_eq!(world.rotations(&key.key_id, false).await.len(), 1);
}

#[tokio::test]
async fn a_doomed_key_does_not_rotate_and_says_so() {
    let world = World::new().await;
    let key = world.key().await;
    world.enable_rotation(&key.key_id, Some(90)).await.unwrap();
    world.schedule_deletion(&key.key_id, 30).await;
    assert_eq!(world.rotation_status(&key.key_id).await.key_rotation_enabled, Some(false));
    let input = CancelKeyDeletionRequest { key_id: key.key_id.clone() };
    world.call::<ops::CancelKeyDeletion>(&world.root, input).await.unwrap();
    assert_eq!(world.rotation_status(&key.key_id).await.key_rotation_enabled, Some(true));
}

#[tokio::test]
async fn keys_rotate_on_demand_25_times() {
    let world = World::new().await;
    let key = world.key().await;
    let mut blobs = vec![world.encrypt(&world.root, &key.key_id).await.unwrap()];
    for _ in 0..25 {
        world.rotate(&key.key_id).await.unwrap();
        blobs.push(world.encrypt(&world.root, &key.key_id).await.unwrap());
    }
    assert_refused(
        world.rotate(&key.key_id).await,
        "LimitExceededException",
        &format!(
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand \
             rotations can be performed for this key: {}",
            key.arn.clone().unwrap()
        ),
    );
    for blob in &blobs {
        assert_eq!(world.decrypt(&world.root, blob).await.unwrap(), PLAINTEXT);
    }
    let rotations = world.rotations(&key.key_id, false).await;
    assert_eq!(rotations.len(), 25);
    assert!(rotations.iter().all(|one| one.rotation_type == Some(RotationType::OnDemand)));
    // The automatic schedule does not count.
    world.enable_rotation(&key.key_id, Some(90)).await.unwrap();
    world.pass_days(91).await;
    assert_eq!(world.rotations(&key.key_id, false).await.len(), 26);
}

#[tokio::test]
async fn rotations_come_in_pages() {
    let world = World::new().await;
    let key = world.key().await;
    for _ in 0..5 {
        world.rotate(&key.key_id).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut marker = None;
    loop {
        let input = ListKeyRotationsRequest {
            key_id: key.key_id.clone(),
            limit: Some(2),
            marker,
            ..Default::default()
        };
        let output = world.call::<ops::ListKeyRotations>(&world.root, input).await.unwrap();
        seen.extend(output.rotations.unwrap().into_iter().map(|one| one.key_material_id));
        marker = output.next_marker;
        assert_eq!(output.truncated, Some(marker.is_some()));
        if marker.is_none() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let input = ListKeyRotationsRequest {
        key_id: key.key_id,
        marker: Some("never".to_owned()),
        ..Default::default()
    };
    let outcome = world.call::<ops::ListKeyRotations>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "InvalidMarkerException");
}

#[tokio::test]
async fn a_rotation_on_demand_is_refused_shortly_before_an_automatic_one() {
    let world = World::new().await;
    let key = world.key().await;
    world.enable_rotation(&key.key_id, Some(90)).await.unwrap();
    world.kit.clock.advance(90 * 86_400 - 19 * 60);
    assert_eq!(refused(world.rotate(&key.key_id).await).0, "ConflictException");
}

#[tokio::test]
async fn only_symmetric_keys_of_kms_rotate_by_themselves() {
    let world = World::new().await;
    let pair = world.key_of(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    for outcome in
        [world.enable_rotation(&pair.key_id, None).await, world.rotate(&pair.key_id).await]
    {
        assert_refused(outcome, "UnsupportedOperationException", "");
    }
    assert_eq!(world.rotation_status(&pair.key_id).await.key_rotation_enabled, Some(false));
    let external = world
        .key_with(CreateKeyRequest { origin: Some(OriginType::External), ..Default::default() })
        .await;
    assert_refused(
        world.enable_rotation(&external.key_id, None).await,
        "UnsupportedOperationException",
        &format!(
            "{} origin is EXTERNAL which is not valid for this operation.",
            external.arn.unwrap()
        ),
    );
}

#[tokio::test]
async fn that_a_key_is_disabled_is_told_before_that_its_kind_does_not_rotate() {
    let world = World::new().await;
    let pair = world.key_of(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    world.disable(&pair.key_id).await;
    let told = format!("{} is disabled.", pair.arn.unwrap());
    for outcome in
        [world.enable_rotation(&pair.key_id, None).await, world.rotate(&pair.key_id).await]
    {
        assert_refused(outcome, "DisabledException", &told);
    }
}

#[tokio::test]
async fn the_status_of_an_alias_is_refused() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/app", &key.key_id).await;
    let input = GetKeyRotationStatusRequest { key_id: "alias/app".to_owned() };
    assert_refused(
        world.call::<ops::GetKeyRotationStatus>(&world.root, input).await.map(|_| ()),
        "InvalidArnException",
        "Key Aliases are not supported for this operation.",
    );
}

#[tokio::test]
async fn a_key_that_rotated_for_thirty_years_opens_everything_and_can_be_deleted() {
    let world = World::new().await;
    let key = world.key().await;
    let oldest = world.encrypt(&world.root, &key.key_id).await.unwrap();
    for number in 0..50 {
        world.alias(&format!("alias/{number}"), &key.key_id).await;
    }
    world.enable_rotation(&key.key_id, Some(90)).await.unwrap();
    world.pass_days(122 * 90).await;
    let newest = world.encrypt(&world.root, &key.key_id).await.unwrap();
    for blob in [&oldest, &newest] {
        assert_eq!(world.decrypt(&world.root, blob).await.unwrap(), PLAINTEXT);
    }
    world.schedule_deletion(&key.key_id, 7).await;
    world.pass_days(7).await;
    assert_eq!(refused(world.describe(&key.key_id).await).0, "NotFoundException");
    for blob in [&oldest, &newest] {
        let outcome = world.decrypt(&world.root, blob).await;
        assert_refused(outcome, "InvalidCiphertextException", "");
    }
}
