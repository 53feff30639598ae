use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

async fn put_staged(world: &World, value: &str, stages: &[&str]) -> String {
    let input = PutSecretValueRequest {
        version_stages: Some(stages.iter().map(|stage| (*stage).to_owned()).collect()),
        ..value_of("s", value)
    };
    let put = world.call::<ops::PutSecretValue>(&world.root, input).await.unwrap();
    put.version_id.unwrap()
}

async fn move_label(
    world: &World,
    stage: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<UpdateSecretVersionStageResponse, haechi_wire::Problem> {
    let input = UpdateSecretVersionStageRequest {
        secret_id: "s".to_owned(),
        version_stage: stage.to_owned(),
        remove_from_version_id: from.map(str::to_owned),
        move_to_version_id: to.map(str::to_owned),
    };
    world.call::<ops::UpdateSecretVersionStage>(&world.root, input).await
}

async fn versions(world: &World, deprecated: bool) -> Vec<(String, Vec<String>)> {
    let input = ListSecretVersionIdsRequest {
        secret_id: "s".to_owned(),
        include_deprecated: Some(deprecated),
        ..Default::default()
    };
    let list = world.call::<ops::ListSecretVersionIds>(&world.root, input).await.unwrap();
    let versions = list.versions.unwrap().into_iter();
    versions
        .map(|version| (version.version_id.unwrap(), version.version_stages.unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn labels_move_as_recorded() {
    let world = World::new().await;
    let v1 = world.create("s", "1").await.version_id.unwrap();
    world.pass(1).await;
    let v2 = put_staged(&world, "2", &["AWSPENDING"]).await;
    assert_eq!(world.text("s").await, "1");
    move_label(&world, "AWSCURRENT", Some(&v1), Some(&v2)).await.unwrap();
    let stages = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect();
    let expected: Vec<(String, Vec<String>)> = vec![
        (v1.clone(), stages(&["AWSPREVIOUS"])),
        (v2.clone(), stages(&["AWSCURRENT", "AWSPENDING"])),
    ];
    assert_eq!(versions(&world, false).await, expected);
    world.pass(1).await;
    let v3 = world.put("s", "3").await.version_id.unwrap();
    let expected: Vec<(String, Vec<String>)> =
        vec![(v2.clone(), stages(&["AWSPREVIOUS"])), (v3, stages(&["AWSCURRENT"]))];
    assert_eq!(versions(&world, false).await, expected);
    assert_eq!(versions(&world, true).await[0], (v1, Vec::new()));
}

#[tokio::test]
async fn the_labels_of_one_put_are_sorted_and_taken_from_others() {
    let world = World::new().await;
    world.create("s", "1").await;
    put_staged(&world, "2", &["one", "two", "three"]).await;
    world.pass(1).await;
    let v3 = put_staged(&world, "3", &["one", "two", "three", "four"]).await;
    let listed = versions(&world, false).await;
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[1].0, listed[1].1.join(" ")), (&v3, "four one three two".to_owned()));
}

#[tokio::test]
async fn a_label_is_taken_only_from_where_the_caller_says_it_is() {
    let world = World::new().await;
    let v1 = world.create("s", "1").await.version_id.unwrap();
    let v2 = put_staged(&world, "2", &["blue"]).await;
    let code = "InvalidParameterException";
    let told = format!(
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently \
         attached to version {v1}, so you must explicitly reference that version in \
         RemoveFromVersionId."
    );
    assert_refused(move_label(&world, "AWSCURRENT", None, Some(&v2)).await, code, &told);
    let told = format!(
        "The parameter RemoveFromVersionId isn't valid. Staging label blue isn't attached to \
         version {v1}."
    );
    assert_refused(move_label(&world, "blue", Some(&v1), None).await, code, &told);
    assert_refused(
        move_label(&world, "AWSCURRENT", Some(&v1), None).await,
        code,
        "You can only move staging label AWSCURRENT to a different secret version. It can't be \
         completely removed.",
    );
    move_label(&world, "blue", Some(&v2), None).await.unwrap();
    move_label(&world, "green", None, Some(&v2)).await.unwrap();
    assert_eq!(versions(&world, false).await.len(), 2);
    let none = "00000000-0000-0000-0000-000000000000";
    let outcome = move_label(&world, "green", Some(&v2), Some(none)).await;
    assert_eq!(refused(outcome).0, "ResourceNotFoundException");
}

#[tokio::test]
async fn the_hundred_and_first_version_of_a_day_is_refused_and_the_next_day_makes_room() {
    let world = World::new().await;
    world.create("s", "0").await;
    for n in 1..100 {
        world.put("s", &n.to_string()).await;
    }
    let outcome = world.call::<ops::PutSecretValue>(&world.root, value_of("s", "x")).await;
    assert_eq!(refused(outcome).0, "LimitExceededException");
    assert_eq!(world.text("s").await, "99");
    world.pass(DAY).await;
    world.put("s", "100").await;
    assert_eq!(versions(&world, true).await.len(), 100);
    // A secret of so many versions can be deleted.
    world.delete("s", 7).await;
    world.pass(7 * DAY).await;
    assert_refused(world.get("s").await, "ResourceNotFoundException", NOT_FOUND);
}

#[tokio::test]
async fn versions_are_listed_page_by_page() {
    let world = World::new().await;
    world.create("s", "0").await;
    for n in 1..5 {
        world.pass(1).await;
        world.put("s", &n.to_string()).await;
    }
    let mut input = ListSecretVersionIdsRequest {
        secret_id: "s".to_owned(),
        include_deprecated: Some(true),
        max_results: Some(3),
        next_token: None,
    };
    let first = world.call::<ops::ListSecretVersionIds>(&world.root, input.clone()).await.unwrap();
    assert_eq!(first.versions.unwrap().len(), 3);
    input.next_token = first.next_token;
    let last = world.call::<ops::ListSecretVersionIds>(&world.root, input.clone()).await.unwrap();
    let versions = last.versions.unwrap();
    assert_eq!((versions.len(), last.next_token), (2, None));
    assert_eq!(versions[1].kms_key_ids.as_ref().unwrap(), &["DefaultEncryptionKey"]);
    input.next_token = Some("never handed out".to_owned());
    let outcome = world.call::<ops::ListSecretVersionIds>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "InvalidNextTokenException");
}
