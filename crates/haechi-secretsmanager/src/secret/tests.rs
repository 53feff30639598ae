use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

fn secret() -> SecretRecord {
    SecretRecord {
        key: "k".to_owned(),
        name: "n".to_owned(),
        suffix: "abcdef".to_owned(),
        arn: "arn".to_owned(),
        account: "111111111111".to_owned(),
        region: "us-east-1".to_owned(),
        description: None,
        kms_key_id: None,
        kind: None,
        created_ms: 0,
        changed_ms: 0,
        accessed_ms: None,
        deleted_ms: None,
        deletion_ms: None,
        tags: BTreeMap::new(),
        tags_emptied: false,
        policy: None,
        policy_principals: PrincipalIds::default(),
        versions: BTreeMap::new(),
        rotation: None,
        owner: None,
        primary_region: None,
        replicas: BTreeMap::new(),
        shared_version: 0,
        followed: None,
        cross_primary: None,
        cross_replicas: BTreeMap::new(),
        unknown: BTreeMap::new(),
    }
}

fn labels(labels: &[&str]) -> BTreeSet<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

fn stages(secret: &SecretRecord, id: &str) -> Vec<String> {
    secret.versions[id].stage_list()
}

#[test]
fn with_the_current_label_goes_the_previous_one_as_recorded() {
    let mut secret = secret();
    secret.add("1", &labels(&[CURRENT]), NOW).unwrap();
    secret.add("2", &labels(&[PENDING]), NOW).unwrap();
    secret.attach("2", &labels(&[CURRENT])).unwrap();
    assert_eq!(stages(&secret, "1"), [PREVIOUS]);
    assert_eq!(stages(&secret, "2"), [CURRENT, PENDING]);
    secret.add("3", &labels(&[CURRENT]), NOW).unwrap();
    assert!(stages(&secret, "1").is_empty());
    assert_eq!(stages(&secret, "2"), [PREVIOUS]);
    assert_eq!(stages(&secret, "3"), [CURRENT]);
    assert!(!secret.stages().contains_key("1"));
}

#[test]
fn labels_of_ones_own_stay_when_the_current_one_goes() {
    let mut secret = secret();
    secret.add("1", &labels(&[CURRENT, "blue"]), NOW).unwrap();
    secret.add("2", &labels(&[CURRENT]), NOW).unwrap();
    assert_eq!(stages(&secret, "1"), [PREVIOUS, "blue"]);
    secret.add("3", &labels(&["blue"]), NOW).unwrap();
    assert_eq!(stages(&secret, "1"), [PREVIOUS]);
    // Going back: what was previous is current, and the other way round.
    secret.attach("1", &labels(&[CURRENT])).unwrap();
    assert_eq!(
        (stages(&secret, "1"), stages(&secret, "2")),
        (vec![CURRENT.to_owned()], vec![PREVIOUS.to_owned()])
    );
}

#[test]
fn there_are_twenty_labels_at_the_most() {
    let mut secret = secret();
    let names: Vec<String> = (0..20).map(|n| format!("l{n}")).collect();
    secret.add("1", &names.iter().cloned().collect(), NOW).unwrap();
    assert!(secret.clone().add("2", &labels(&["one more"]), NOW).is_err());
    assert!(secret.add("2", &labels(&["l0"]), NOW).is_ok());
}

#[test]
fn the_hundred_and_first_version_takes_the_place_of_the_oldest_that_is_a_day_old() {
    let mut secret = secret();
    for n in 0..100 {
        secret.add(&format!("{n:03}"), &labels(&[CURRENT]), NOW.plus_seconds(n)).unwrap();
    }
    // All are younger than a day.
    assert!(secret.clone().add("x", &labels(&[CURRENT]), NOW.plus_seconds(100)).is_err());
    let tomorrow = NOW.plus_seconds(24 * 60 * 60);
    assert_eq!(secret.add("x", &labels(&[CURRENT]), tomorrow).unwrap(), ["000"]);
    assert_eq!(secret.versions.len(), 100);
}

#[test]
fn an_access_is_told_by_the_day() {
    let mut secret = secret();
    secret.add("1", &labels(&[CURRENT]), NOW).unwrap();
    assert!(secret.accessed("1", NOW.plus_seconds(3600)));
    assert_eq!(secret.accessed_ms, Some(NOW.millis()));
    assert!(!secret.accessed("1", NOW.plus_seconds(7200)));
    assert!(secret.accessed("1", NOW.plus_seconds(24 * 60 * 60)));
}

#[tokio::test]
async fn a_rotation_that_a_job_began_and_a_hand_overtook_has_a_next_time() {
    let kit = haechi_testkit::Kit::new().await;
    let (mut secret, now) = (secret(), kit.env.now());
    secret.add("1", &labels(&[CURRENT]), now).unwrap();
    secret.add("2", &labels(&[PENDING]), now).unwrap();
    let mut rotation = crate::rotation::new("arn:aws:lambda:::function:f".to_owned());
    rotation.enabled = true;
    rotation.rules.expression = Some("rate(1 day)".to_owned());
    rotation.due_ms = Some(now.millis());
    let (token, step) = ("2".to_owned(), crate::rotation::Step::Set);
    rotation.running = Some(crate::rotation::Running { token, step });
    secret.rotation = Some(rotation);
    let mut batch = haechi_core::Batch::new();
    secret.abandon_rotation((&kit.env, now), "1", &mut batch).unwrap();
    kit.database.commit(batch).await.unwrap();
    let rotation = secret.rotation.as_ref().unwrap();
    assert_eq!(rotation.running, None);
    assert!(rotation.due_ms.unwrap() > now.millis());
    assert_eq!(secret.labelled(PENDING), None);
}
