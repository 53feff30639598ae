//! `ReplicateKey`, `UpdatePrimaryRegion`, and what the Regions of a key have in common.

mod everywhere;

use haechi_core::{Handle, Region};
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Problem;

use crate::world::*;

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";
const FAR: &str = "ap-southeast-1";

impl World {
    /// Calls go to another Region from now on.
    fn go(&mut self, region: &str) {
        self.kit.region = Region::parse(region).unwrap();
    }

    async fn multi_region_key(&self) -> KeyMetadata {
        self.key_with(CreateKeyRequest { multi_region: Some(true), ..Default::default() }).await
    }

    async fn replicate(&self, key_id: &str, to: &str) -> Result<ReplicateKeyResponse, Problem> {
        let (key_id, replica_region) = (key_id.to_owned(), to.to_owned());
        let input = ReplicateKeyRequest { key_id, replica_region, ..Default::default() };
        self.call::<ops::ReplicateKey>(&self.root, input).await
    }

    async fn make_primary(&self, key_id: &str, to: &str) -> Result<(), Problem> {
        let (key_id, primary_region) = (key_id.to_owned(), to.to_owned());
        let input = UpdatePrimaryRegionRequest { key_id, primary_region };
        self.call::<ops::UpdatePrimaryRegion>(&self.root, input).await.map(|_| ())
    }
}

fn regions(key: &KeyMetadata) -> (MultiRegionKeyType, String, Vec<String>) {
    let at = key.multi_region_configuration.clone().unwrap();
    let replicas = at.replica_keys.unwrap();
    assert!(replicas.iter().all(|one| one.arn.as_ref().unwrap().ends_with(&key.key_id)));
    (
        at.multi_region_key_type.unwrap(),
        at.primary_key.unwrap().region.unwrap(),
        replicas.into_iter().map(|one| one.region.unwrap()).collect(),
    )
}

#[tokio::test]
async fn a_multi_region_key_begins_as_a_primary_without_replicas() {
    let world = World::new().await;
    let key = world.multi_region_key().await;
    let id = key.key_id.strip_prefix("mrk-").unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(key.multi_region, Some(true));
    assert_eq!(regions(&key), (MultiRegionKeyType::Primary, HOME.to_owned(), Vec::new()));
}

#[tokio::test]
async fn what_one_region_encrypts_another_decrypts() {
    let mut world = World::new().await;
    let key = world.multi_region_key().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.go(AWAY);
    let outcome = world.decrypt(&world.root, &blob).await;
    assert_refused(outcome, "InvalidCiphertextException", "");
    world.go(HOME);
    let answered = world.replicate(&key.key_id, AWAY).await.unwrap();
    let replica = answered.replica_key_metadata.unwrap();
    assert_eq!((replica.key_state, replica.enabled), (Some(KeyState::Creating), Some(false)));
    assert_eq!(replica.key_id, key.key_id);
    assert!(answered.replica_policy.unwrap().contains("Enable IAM User Permissions"));

    let home = world.describe(&key.key_id).await.unwrap();
    world.go(AWAY);
    let away = world.describe(&key.key_id).await.unwrap();
    assert_eq!(away.key_state, Some(KeyState::Enabled));
    assert_eq!(away.arn.as_deref(), Some(&*key.arn.unwrap().replace(HOME, AWAY)));
    assert_eq!(away.current_key_material_id, key.current_key_material_id);
    assert_eq!(away.description.as_deref(), Some(""));
    let replicas = vec![AWAY.to_owned()];
    assert_eq!(regions(&away), (MultiRegionKeyType::Replica, HOME.to_owned(), replicas.clone()));
    assert_eq!(regions(&home), (MultiRegionKeyType::Primary, HOME.to_owned(), replicas));

    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.go(HOME);
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn only_primaries_are_replicated_and_once_into_each_region() {
    let mut world = World::new().await;
    let single = world.key().await;
    let outcome = world.replicate(&single.key_id, AWAY).await.map(|_| ());
    assert_eq!(refused(outcome).0, "UnsupportedOperationException");
    let key = world.multi_region_key().await;
    world.replicate(&key.key_id, AWAY).await.unwrap();
    for region in [AWAY, HOME] {
        let outcome = world.replicate(&key.key_id, region).await.map(|_| ());
        assert_eq!(refused(outcome).0, "AlreadyExistsException");
    }
    world.go(AWAY);
    let arn = key.arn.unwrap().replace(HOME, AWAY);
    assert_refused(
        world.replicate(&key.key_id, FAR).await.map(|_| ()),
        "UnsupportedOperationException",
        &format!("{arn} is not a multi-region primary key."),
    );
}

#[tokio::test]
async fn policy_alias_tags_and_state_are_each_regions_own() {
    let mut world = World::new().await;
    let key = world.multi_region_key().await;
    world.alias("alias/home", &key.key_id).await;
    let input = ReplicateKeyRequest {
        key_id: key.key_id.clone(),
        replica_region: AWAY.to_owned(),
        policy: Some(policy("Allow", &root_arn(ACCOUNT), "kms:*")),
        description: Some("away".to_owned()),
        tags: Some(vec![Tag { tag_key: "a".to_owned(), tag_value: "b".to_owned() }]),
        ..Default::default()
    };
    let answered = world.call::<ops::ReplicateKey>(&world.root, input.clone()).await.unwrap();
    assert_eq!(answered.replica_policy, input.policy);
    assert_eq!(answered.replica_tags.unwrap().len(), 1);
    world.disable(&key.key_id).await;
    world.go(AWAY);
    assert!(world.encrypt(&world.root, &key.key_id).await.is_ok());
    assert_eq!(refused(world.encrypt(&world.root, "alias/home").await).0, "NotFoundException");
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!(described.description.as_deref(), Some("away"));
}

#[tokio::test]
async fn a_rotation_reaches_all_regions_at_once() {
    let mut world = World::new().await;
    let key = world.multi_region_key().await;
    world.replicate(&key.key_id, AWAY).await.unwrap();
    world.go(AWAY);
    let outcome = world.rotate(&key.key_id).await;
    assert_eq!(refused(outcome).0, "UnsupportedOperationException");
    world.go(HOME);
    world.rotate(&key.key_id).await.unwrap();
    let home = world.describe(&key.key_id).await.unwrap();
    assert_ne!(home.current_key_material_id, key.current_key_material_id);
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    let input =
        EnableKeyRotationRequest { key_id: key.key_id.clone(), rotation_period_in_days: Some(90) };
    world.call::<ops::EnableKeyRotation>(&world.root, input).await.unwrap();
    world.go(AWAY);
    let away = world.describe(&key.key_id).await.unwrap();
    assert_eq!(away.current_key_material_id, home.current_key_material_id);
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    // The schedule is common too, and the primary's rotation is everybody's.
    world.pass_days(90).await;
    assert_eq!(world.rotations(&key.key_id, false).await.len(), 2);
    let away = world.describe(&key.key_id).await.unwrap();
    world.go(HOME);
    let home = world.describe(&key.key_id).await.unwrap();
    assert_eq!(away.current_key_material_id, home.current_key_material_id);
}

#[tokio::test]
async fn another_region_becomes_the_primary_and_rotates_from_then_on() {
    let mut world = World::new().await;
    let key = world.multi_region_key().await;
    world.replicate(&key.key_id, AWAY).await.unwrap();
    world.replicate(&key.key_id, FAR).await.unwrap();
    let input =
        EnableKeyRotationRequest { key_id: key.key_id.clone(), rotation_period_in_days: Some(90) };
    world.call::<ops::EnableKeyRotation>(&world.root, input).await.unwrap();
    let outcome = world.make_primary(&key.key_id, "sa-east-1").await;
    assert_eq!(refused(outcome).0, "NotFoundException");
    world.make_primary(&key.key_id, AWAY).await.unwrap();
    let replicas = vec![FAR.to_owned(), HOME.to_owned()];
    for (region, kind) in [
        (HOME, MultiRegionKeyType::Replica),
        (AWAY, MultiRegionKeyType::Primary),
        (FAR, MultiRegionKeyType::Replica),
    ] {
        world.go(region);
        let described = world.describe(&key.key_id).await.unwrap();
        assert_eq!(regions(&described), (kind, AWAY.to_owned(), replicas.clone()));
    }
    world.pass_days(90).await;
    assert_eq!(world.rotations(&key.key_id, false).await.len(), 1);
    let outcome = world.make_primary(&key.key_id, HOME).await;
    assert_eq!(refused(outcome).0, "UnsupportedOperationException");
    world.go(AWAY);
    world.rotate(&key.key_id).await.unwrap();
}

#[tokio::test]
async fn a_primary_goes_after_its_last_replica() {
    let mut world = World::new().await;
    let key = world.multi_region_key().await;
    world.replicate(&key.key_id, AWAY).await.unwrap();
    world.replicate(&key.key_id, FAR).await.unwrap();
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    let input =
        ScheduleKeyDeletionRequest { key_id: key.key_id.clone(), pending_window_in_days: Some(10) };
    let answered = world.call::<ops::ScheduleKeyDeletion>(&world.root, input).await.unwrap();
    assert_eq!(answered.key_state, Some(KeyState::PendingReplicaDeletion));
    assert_eq!(answered.deletion_date, None);
    world.pass_days(40).await;
    let waiting = world.describe(&key.key_id).await.unwrap();
    assert_eq!(waiting.key_state, Some(KeyState::PendingReplicaDeletion));
    assert_eq!(waiting.pending_deletion_window_in_days, Some(10));
    let outcome = world.encrypt(&world.root, &key.key_id).await;
    assert_eq!(refused(outcome).0, "KMSInvalidStateException");

    for region in [AWAY, FAR] {
        world.go(region);
        assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
        world.schedule_deletion(&key.key_id, 7).await;
    }
    world.pass_days(7).await;
    world.go(HOME);
    let doomed = world.describe(&key.key_id).await.unwrap();
    assert_eq!(doomed.key_state, Some(KeyState::PendingDeletion));
    assert_eq!(doomed.deletion_date, Some(world.kit.env.now().plus_seconds(10 * 86_400)));
    assert!(regions(&doomed).2.is_empty());
    world.pass_days(10).await;
    assert_eq!(refused(world.describe(&key.key_id).await).0, "NotFoundException");
}

#[tokio::test]
async fn imported_material_is_imported_into_each_region_and_waits_for_the_last() {
    let mut world = World::new().await;
    let input = CreateKeyRequest {
        multi_region: Some(true),
        origin: Some(OriginType::External),
        ..Default::default()
    };
    let key = world.key_with(input).await;
    let algorithm = AlgorithmSpec::RsaesOaepSha256;
    let first = world.importing(&key.key_id, &[1; 32], algorithm).await;
    let first = world.import(first).await.unwrap();
    world.replicate(&key.key_id, AWAY).await.unwrap();
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.go(AWAY);
    let pending = world.describe(&key.key_id).await.unwrap();
    assert_eq!(pending.key_state, Some(KeyState::PendingImport));
    let again = world.importing(&key.key_id, &[1; 32], algorithm).await;
    assert_eq!(world.import(again).await.unwrap(), first);
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);

    // New material: first the primary, then the others, then the rotation.
    let import_type = Some(ImportType::NewKeyMaterial);
    let fresh = world.importing(&key.key_id, &[2; 32], algorithm).await;
    let fresh = ImportKeyMaterialRequest { import_type, ..fresh };
    assert_eq!(refused(world.import(fresh).await).0, "UnsupportedOperationException");
    world.go(HOME);
    let fresh = world.importing(&key.key_id, &[2; 32], algorithm).await;
    let fresh = ImportKeyMaterialRequest { import_type, ..fresh };
    let second = world.import(fresh).await.unwrap();
    let waiting = world.rotations(&key.key_id, true).await[1].key_material_state;
    assert_eq!(waiting, Some(KeyMaterialState::PendingMultiRegionImportAndRotation));
    assert_eq!(refused(world.rotate(&key.key_id).await).0, "KMSInvalidStateException");
    world.go(AWAY);
    let there = world.rotations(&key.key_id, true).await[1].key_material_state;
    assert_eq!(there, waiting, "the replica says so too");
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::Enabled));
    let again = world.importing(&key.key_id, &[2; 32], algorithm).await;
    assert_eq!(world.import(again).await.unwrap(), second);
    world.go(HOME);
    let ready = world.rotations(&key.key_id, true).await[1].key_material_state;
    assert_eq!(ready, Some(KeyMaterialState::PendingRotation));
    world.rotate(&key.key_id).await.unwrap();
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.go(AWAY);
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    assert_eq!(world.describe(&key.key_id).await.unwrap().current_key_material_id, second);
}

#[tokio::test]
async fn policies_see_regions_and_the_kind_of_multi_region_key() {
    let world = World::new().await;
    let key = world.multi_region_key().await;
    let user = world.kit.user(
        ACCOUNT,
        "replicator",
        &[r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"kms:ReplicateKey","Resource":"*","Condition":{
              "StringEquals":{"kms:ReplicaRegion":"eu-west-1","kms:MultiRegionKeyType":"PRIMARY"},
              "Bool":{"kms:MultiRegion":"true"}}},
            {"Effect":"Allow","Action":"kms:UpdatePrimaryRegion","Resource":"*","Condition":{
              "StringEquals":{"kms:PrimaryRegion":"eu-west-1"}}},
            {"Effect":"Allow","Action":"kms:CreateKey","Resource":"*"}]}"#],
    );
    let replicate = async |region: &str| {
        let (key_id, replica_region) = (key.key_id.clone(), region.to_owned());
        let input = ReplicateKeyRequest { key_id, replica_region, ..Default::default() };
        world.call::<ops::ReplicateKey>(&user, input).await.map(|_| ())
    };
    assert_eq!(refused(replicate(FAR).await).0, "AccessDeniedException");
    replicate(AWAY).await.unwrap();
    world.replicate(&key.key_id, FAR).await.unwrap();
    let promote = async |region: &str| {
        let (key_id, primary_region) = (key.key_id.clone(), region.to_owned());
        let input = UpdatePrimaryRegionRequest { key_id, primary_region };
        world.call::<ops::UpdatePrimaryRegion>(&user, input).await.map(|_| ())
    };
    assert_eq!(refused(promote(FAR).await).0, "AccessDeniedException");
    promote(AWAY).await.unwrap();
}

#[tokio::test]
async fn each_region_has_a_record_of_its_own_key_alone() {
    let world = World::new().await;
    let key = world.multi_region_key().await;
    let arn = |region: &str| format!("arn:aws:kms:{region}:{ACCOUNT}:key/{}", key.key_id);
    let cx = world.kit.cx::<ops::ReplicateKey>(&world.root);
    let (key_id, replica_region) = (key.key_id.clone(), AWAY.to_owned());
    let input = ReplicateKeyRequest { key_id, replica_region, ..Default::default() };
    Handle::<ops::ReplicateKey>::handle(&world.kms, &cx, input).await.unwrap();
    let noted: Vec<String> = cx.take_noted().into_iter().map(|key| key.arn).collect();
    assert_eq!(noted, [arn(HOME)]);
    let cx = world.kit.cx::<ops::UpdatePrimaryRegion>(&world.root);
    let (key_id, primary_region) = (key.key_id.clone(), AWAY.to_owned());
    let input = UpdatePrimaryRegionRequest { key_id, primary_region };
    Handle::<ops::UpdatePrimaryRegion>::handle(&world.kms, &cx, input).await.unwrap();
    let noted: Vec<String> = cx.take_noted().into_iter().map(|key| key.arn).collect();
    assert_eq!(noted, [arn(HOME)]);
    let made = cx.take_made();
    let noted: Vec<&str> = made[0].resources.iter().map(|key| key.arn.as_str()).collect();
    assert_eq!(noted, [arn(AWAY)]);
    let parameters = String::from_utf8(made[0].parameters.clone()).unwrap();
    assert!(parameters.contains(&arn(AWAY)), "{parameters}");
}
