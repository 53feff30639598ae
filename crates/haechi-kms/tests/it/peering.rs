//! Two deployments, each with a store of its own, that share multi-Region keys: over a network that
//! the test cuts, repeats and delays.

mod two;

use std::sync::atomic::Ordering;

use haechi_kms_model::ops;
use haechi_kms_model::shapes::KeyState as KeyState_;
use haechi_kms_model::shapes::*;
use haechi_peer::message::{KeyState, parse};
use haechi_peer::{Refusal, Subject};

use crate::world::*;
use two::*;

#[tokio::test]
async fn a_key_is_replicated_to_another_deployment() {
    let two = Two::new().await;
    let input = CreateKeyRequest { multi_region: Some(true), ..Default::default() };
    let id = two.home.world.key_with(input).await.key_id;
    let blob = two.home.world.encrypt(&two.home.world.root, &id).await.unwrap();
    let answer = two.home.replicate(&id, AWAY).await.unwrap().replica_key_metadata.unwrap();
    assert_eq!(answer.key_state, Some(KeyState_::Creating));
    assert_eq!(refused(two.away.world.describe(&id).await).0, "NotFoundException");
    two.settle().await;
    let replica = two.away.world.describe(&id).await.unwrap();
    assert_eq!(replica.arn, answer.arn);
    assert_eq!(replica.key_state, Some(KeyState_::Enabled));
    assert_eq!(two.away.world.decrypt(&two.away.world.root, &blob).await.unwrap(), PLAINTEXT);
    assert_eq!(two.away.kind(&id).await, (MultiRegionKeyType::Replica, HOME.to_owned(), 1));
    two.home.is_read_by(&two.away, &id).await;
    two.away.is_read_by(&two.home, &id).await;
    assert_eq!(refused(two.home.replicate(&id, AWAY).await).0, "AlreadyExistsException");
    let outcome = two.home.replicate(&id, "ap-south-1").await;
    let words = format!(
        "Region ap-south-1 is served neither here nor by a peer that shares account {ACCOUNT}."
    );
    assert_refused(outcome, "ValidationException", &words);
}

#[tokio::test]
async fn every_kind_of_key_travels() {
    let two = Two::new().await;
    for (spec, usage) in [
        (KeySpec::EccNistP256, KeyUsageType::SignVerify),
        (KeySpec::Hmac384, KeyUsageType::GenerateVerifyMac),
        (KeySpec::MlDsa44, KeyUsageType::SignVerify),
    ] {
        let (key_spec, key_usage) = (Some(spec), Some(usage));
        let multi_region = Some(true);
        let input = CreateKeyRequest { key_spec, key_usage, multi_region, ..Default::default() };
        let id = two.home.world.key_with(input).await.key_id;
        two.home.replicate(&id, AWAY).await.unwrap();
        two.settle().await;
        let replica = two.away.world.describe(&id).await.unwrap();
        assert_eq!((replica.key_spec, replica.key_usage), (key_spec, key_usage));
    }
}

#[tokio::test]
async fn the_primary_encrypts_with_new_material_only_once_the_replica_has_it() {
    let two = Two::new().await;
    let id = two.replicated_key().await;
    let old = two.home.material(&id).await;
    two.cut(true);
    two.home.world.rotate(&id).await.unwrap();
    two.settle().await;
    assert_eq!(two.home.material(&id).await, old);
    assert!(two.home.in_progress(&id).await);
    assert_eq!(refused(two.home.world.rotate(&id).await).0, "ConflictException");
    // Both serve on.
    two.home.is_read_by(&two.away, &id).await;
    two.away.is_read_by(&two.home, &id).await;
    // The message arrives and its answer does not: the replica has it, the primary does not know.
    two.cut(false);
    two.wire.loses_answers.store(true, Ordering::SeqCst);
    two.settle().await;
    assert_eq!(two.home.material(&id).await, old);
    two.home.is_read_by(&two.away, &id).await;
    two.wire.loses_answers.store(false, Ordering::SeqCst);
    two.settle().await;
    assert_ne!(two.home.material(&id).await, old);
    assert!(!two.home.in_progress(&id).await);
    assert_eq!(two.away.material(&id).await, two.home.material(&id).await);
    two.home.is_read_by(&two.away, &id).await;
    two.away.is_read_by(&two.home, &id).await;
    two.home.world.rotate(&id).await.unwrap();
    two.settle().await;
    assert_eq!(two.away.material(&id).await, two.home.material(&id).await);
}

#[tokio::test]
async fn a_deployment_that_is_no_peer_any_more_is_not_waited_for() {
    let two = Two::new().await;
    let id = two.replicated_key().await;
    two.cut(true);
    two.home.world.rotate(&id).await.unwrap();
    two.settle().await;
    assert!(two.home.in_progress(&id).await);
    two.home.peers.replace(Vec::new());
    two.settle().await;
    assert!(!two.home.in_progress(&id).await);
}

#[tokio::test]
async fn automatic_rotation_is_shared_and_waits_too() {
    let two = Two::new().await;
    let id = two.replicated_key().await;
    let input = EnableKeyRotationRequest { key_id: id.clone(), rotation_period_in_days: Some(90) };
    two.home.world.call::<ops::EnableKeyRotation>(&two.home.world.root, input).await.unwrap();
    two.settle().await;
    let input = GetKeyRotationStatusRequest { key_id: id.clone() };
    let away = &two.away.world;
    let status = away.call::<ops::GetKeyRotationStatus>(&away.root, input).await.unwrap();
    assert_eq!(status.rotation_period_in_days, Some(90));
    let old = two.home.material(&id).await;
    two.cut(true);
    for side in [&two.home, &two.away] {
        side.world.kit.clock.advance(91 * 24 * 60 * 60);
    }
    two.settle().await;
    assert_eq!(two.home.material(&id).await, old);
    two.cut(false);
    two.settle().await;
    assert_ne!(two.home.material(&id).await, old);
    assert_eq!(two.away.material(&id).await, two.home.material(&id).await);
    // Each at its date, also those that fall due while one waits.
    two.cut(true);
    for side in [&two.home, &two.away] {
        side.world.kit.clock.advance(3 * 90 * 24 * 60 * 60);
    }
    two.settle().await;
    two.cut(false);
    for _ in 0..8 {
        two.settle().await;
    }
    assert_eq!(two.home.world.rotations(&id, false).await.len(), 4);
    assert_eq!(two.away.material(&id).await, two.home.material(&id).await);
}

#[tokio::test]
async fn the_primary_moves_to_the_other_deployment_and_back() {
    let two = Two::new().await;
    let id = two.replicated_key().await;
    two.cut(true);
    assert_eq!(refused(two.home.make_primary(&id, AWAY).await).0, "DependencyTimeoutException");
    two.cut(false);
    two.settle().await;
    two.home.make_primary(&id, AWAY).await.unwrap();
    // Until it has arrived nobody is the authority; everybody encrypts.
    assert_eq!(refused(two.home.world.rotate(&id).await).0, "UnsupportedOperationException");
    assert_eq!(refused(two.away.world.rotate(&id).await).0, "UnsupportedOperationException");
    two.home.is_read_by(&two.away, &id).await;
    two.settle().await;
    assert_eq!(two.home.kind(&id).await, (MultiRegionKeyType::Replica, AWAY.to_owned(), 1));
    assert_eq!(two.away.kind(&id).await, (MultiRegionKeyType::Primary, AWAY.to_owned(), 1));
    let old = two.home.material(&id).await;
    two.away.world.rotate(&id).await.unwrap();
    two.settle().await;
    assert_ne!(two.home.material(&id).await, old);
    assert_eq!(two.away.material(&id).await, two.home.material(&id).await);
    two.away.make_primary(&id, HOME).await.unwrap();
    two.settle().await;
    assert_eq!(two.home.kind(&id).await, (MultiRegionKeyType::Primary, HOME.to_owned(), 1));
    two.home.world.rotate(&id).await.unwrap();
    two.settle().await;
    two.home.is_read_by(&two.away, &id).await;
}

#[tokio::test]
async fn a_primary_waits_for_its_replica_elsewhere_to_be_deleted() {
    let two = Two::new().await;
    let id = two.replicated_key().await;
    two.home.world.schedule_deletion(&id, 7).await;
    let state = |key: KeyMetadata| key.key_state.unwrap();
    let home = two.home.world.describe(&id).await.unwrap();
    assert_eq!(state(home), KeyState_::PendingReplicaDeletion);
    two.away.world.schedule_deletion(&id, 7).await;
    two.cut(true);
    for side in [&two.home, &two.away] {
        side.world.pass_days(8).await;
    }
    assert_eq!(refused(two.away.world.describe(&id).await).0, "NotFoundException");
    let home = two.home.world.describe(&id).await.unwrap();
    assert_eq!(state(home), KeyState_::PendingReplicaDeletion);
    two.cut(false);
    two.settle().await;
    let home = two.home.world.describe(&id).await.unwrap();
    assert_eq!(state(home), KeyState_::PendingDeletion);
    two.home.world.pass_days(8).await;
    assert_eq!(refused(two.home.world.describe(&id).await).0, "NotFoundException");
}

#[tokio::test]
async fn nothing_that_is_late_brings_a_deleted_replica_back() {
    let two = Two::new().await;
    let id = two.replicated_key().await;
    two.away.world.schedule_deletion(&id, 7).await;
    two.cut(true);
    for side in [&two.home, &two.away] {
        side.world.pass_days(8).await;
    }
    // Home does not know yet, and changes the key.
    two.home.world.rotate(&id).await.unwrap();
    for said in two.wire.said() {
        let _ = two.wire.deliver(&said).await;
    }
    assert_eq!(refused(two.away.world.describe(&id).await).0, "NotFoundException");
    two.cut(false);
    two.settle().await;
    assert_eq!(refused(two.away.world.describe(&id).await).0, "NotFoundException");
    assert_eq!(two.home.kind(&id).await.2, 0);
    assert!(!two.home.in_progress(&id).await);
    // Asked for anew, it is another replica.
    two.home.replicate(&id, AWAY).await.unwrap();
    two.settle().await;
    two.home.is_read_by(&two.away, &id).await;
    let all = two.wire.said();
    for said in all.iter().rev().chain(&all) {
        let _ = two.wire.deliver(said).await;
    }
    two.settle().await;
    assert_eq!(two.home.kind(&id).await.2, 1);
    two.home.is_read_by(&two.away, &id).await;
    two.away.is_read_by(&two.home, &id).await;
}

#[tokio::test]
async fn material_that_is_imported_must_be_there_before_the_primary_rotates_to_it() {
    let two = Two::new().await;
    let (origin, multi_region) = (Some(OriginType::External), Some(true));
    let input = CreateKeyRequest { origin, multi_region, ..Default::default() };
    let id = two.home.world.key_with(input).await.key_id;
    two.home.world.import_bytes(&id, &[7; 32], None).await;
    two.home.replicate(&id, AWAY).await.unwrap();
    two.settle().await;
    let replica = two.away.world.describe(&id).await.unwrap();
    assert_eq!(replica.key_state, Some(KeyState_::PendingImport));
    two.away.world.import_bytes(&id, &[7; 32], None).await;
    two.home.is_read_by(&two.away, &id).await;
    let fresh = Some(ImportType::NewKeyMaterial);
    two.home.world.import_bytes(&id, &[8; 32], fresh).await;
    two.settle().await;
    assert_eq!(refused(two.home.world.rotate(&id).await).0, "KMSInvalidStateException");
    two.away.world.import_bytes(&id, &[8; 32], None).await;
    two.settle().await;
    two.home.world.rotate(&id).await.unwrap();
    two.settle().await;
    two.home.is_read_by(&two.away, &id).await;
    two.away.is_read_by(&two.home, &id).await;
    assert_eq!(two.away.material(&id).await, two.home.material(&id).await);
}

/// The last state that went to the other side.
fn last_state(two: &Two) -> KeyState {
    let said = two.wire.said();
    let mut states = said.iter().filter(|said| said.subject == Subject::KeyState);
    parse(&states.next_back().unwrap().body).unwrap()
}

#[tokio::test]
async fn a_peer_can_only_affect_what_is_shared_with_it() {
    let two = Two::new().await;
    let id = two.replicated_key().await;
    let state = last_state(&two);
    let own = {
        let input = CreateKeyRequest { multi_region: Some(true), ..Default::default() };
        two.away.world.key_with(input).await.key_id
    };
    let away = &two.away;
    let sender = &two.home_card;
    let take = async |change: &dyn Fn(&mut KeyState)| {
        let mut changed = state.clone();
        changed.version += 1;
        change(&mut changed);
        away.kms.take_key_state(sender, &changed).await.map(|_| ()).unwrap_err()
    };
    let refusal = take(&|state| state.key_id = own.clone()).await;
    assert_eq!(refusal, Refusal::new("a key of this id is here, and was not shared"));
    take(&|state| state.spec = "RSA_2048".to_owned()).await;
    take(&|state| state.materials.clear()).await;
    take(&|state| state.replicas.clear()).await;
    take(&|state| state.version -= 2).await;
    // Material that was sealed as another one.
    take(&|state| state.materials[0].id = "f".repeat(64)).await;
    // A key that it says is primary here.
    let elsewhere = |state: &mut KeyState| {
        state.key_id = format!("mrk-{}", "0".repeat(32));
        state.primary = AWAY.to_owned();
        state.replicas.clear();
    };
    take(&elsewhere).await;
    // The handle of a key that is not shared.
    let blob = away.world.encrypt(&away.world.root, &own).await.unwrap();
    let stolen: String = blob.0[5..37].iter().map(|byte| format!("{byte:02x}")).collect();
    take(&|state| {
        state.key_id = format!("mrk-{}", "1".repeat(32));
        state.materials[0].handle = stolen.clone();
    })
    .await;
    assert_eq!(away.world.decrypt(&away.world.root, &blob).await.unwrap(), PLAINTEXT);
    // Nothing of it left a trace.
    two.settle().await;
    two.home.is_read_by(&two.away, &id).await;
    two.away.is_read_by(&two.home, &id).await;
}

#[tokio::test]
async fn no_order_of_messages_cuts_and_repetitions_loses_or_splits_a_key() {
    for seed in 0..40_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let two = Two::new().await;
        let id = two.replicated_key().await;
        let mut blobs = Vec::new();
        for _ in 0..25 {
            let side = if next(2) == 0 { &two.home } else { &two.away };
            match next(8) {
                0 => two.cut(next(2) == 0),
                1 => two.wire.loses_answers.store(next(2) == 0, Ordering::SeqCst),
                2 => drop(side.world.rotate(&id).await),
                3 => drop(side.make_primary(&id, if next(2) == 0 { HOME } else { AWAY }).await),
                4 => {
                    let said = two.wire.said();
                    let place = usize::try_from(next(said.len() as u64)).unwrap();
                    let _ = two.wire.deliver(&said[place]).await;
                }
                5 => {
                    side.world.kit.clock.advance(10);
                    side.world.kit.jobs.run_due().await.unwrap();
                }
                _ => blobs.push(side.world.encrypt(&side.world.root, &id).await.unwrap()),
            }
            // Whatever one side encrypts the other can read, at any moment.
            two.home.is_read_by(&two.away, &id).await;
            two.away.is_read_by(&two.home, &id).await;
            let kinds = (two.home.kind(&id).await.0, two.away.kind(&id).await.0);
            let both = (MultiRegionKeyType::Primary, MultiRegionKeyType::Primary);
            assert_ne!(kinds, both, "seed {seed}: two primaries");
        }
        two.cut(false);
        two.wire.loses_answers.store(false, Ordering::SeqCst);
        two.settle().await;
        two.settle().await;
        for blob in &blobs {
            for side in [&two.home, &two.away] {
                let opened = side.world.decrypt(&side.world.root, blob).await.unwrap();
                assert_eq!(opened, PLAINTEXT, "seed {seed}");
            }
        }
        assert_eq!(two.home.material(&id).await, two.away.material(&id).await, "seed {seed}");
        let (home, away) = (two.home.kind(&id).await, two.away.kind(&id).await);
        assert_eq!((home.1, home.2), (away.1, away.2), "seed {seed}");
        assert!(!two.home.in_progress(&id).await && !two.away.in_progress(&id).await);
    }
}
