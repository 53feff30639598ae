//! Replicas in a Region that another deployment serves, over a wire that the test cuts, and on which
//! it repeats and delays what was said.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use haechi_core::Region;
use haechi_kms_model::ops as kms;
use haechi_kms_model::shapes::CreateKeyRequest;
use haechi_peer::message::{SecretReport, SecretState, parse, write};
use haechi_peer::{Answer, Inbox, Peer, Refusal, Subject};
use haechi_secretsmanager::SecretsManager;
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_testkit::peering::{Wire, again, two};
use haechi_wire::Problem;

use crate::world::*;

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";

/// What is said to a Secrets Manager.
struct Door(Arc<SecretsManager>);

#[async_trait]
impl Inbox for Door {
    async fn take(&self, from: &Peer, subject: Subject, body: &[u8]) -> Result<Answer, Refusal> {
        match subject {
            Subject::SecretState => {
                let state: SecretState = parse(body)?;
                write(&self.0.take_secret_state(from, &state).await?)
            }
            Subject::SecretReport => {
                let report: SecretReport = parse(body)?;
                self.0.take_secret_report(from, &report).await.map(|()| Answer::new())
            }
            other => Err(Refusal::new(format!("{other:?}"))),
        }
    }
}

struct Two {
    home: World,
    away: World,
    wire: Arc<Wire>,
    _doors: [Arc<dyn Inbox>; 2],
}

impl Two {
    async fn new() -> Two {
        let wire = Arc::new(Wire::default());
        let [one, other] = two(&wire, [HOME, AWAY]);
        let (home, mut away) = (World::new().await, World::new().await);
        away.kit.region = Region::parse(AWAY).unwrap();
        let doors = [&home, &away]
            .map(|world| Arc::new(Door(Arc::clone(&world.secrets))) as Arc<dyn Inbox>);
        wire.lead_to(one.known_as.id(), &doors[0], again(&other.known_as));
        wire.lead_to(other.known_as.id(), &doors[1], again(&one.known_as));
        home.secrets.use_peers(one.peers);
        away.secrets.use_peers(other.peers);
        Two { home, away, wire, _doors: doors }
    }

    async fn settle(&self) {
        for _ in 0..6 {
            self.home.pass(10).await;
            self.away.pass(10).await;
        }
    }

    async fn replicate(&self) -> Result<(), Problem> {
        let region = Some(AWAY.to_owned());
        let input = ReplicateSecretToRegionsRequest {
            secret_id: "s".to_owned(),
            add_replica_regions: vec![ReplicaRegionType { region, kms_key_id: None }],
            force_overwrite_replica_secret: None,
        };
        let home = &self.home;
        home.call::<ops::ReplicateSecretToRegions>(&home.root, input).await.map(|_| ())
    }

    async fn remove(&self) -> Result<(), Problem> {
        let (secret_id, remove_replica_regions) = ("s".to_owned(), vec![AWAY.to_owned()]);
        let input = RemoveRegionsFromReplicationRequest { secret_id, remove_replica_regions };
        let home = &self.home;
        home.call::<ops::RemoveRegionsFromReplication>(&home.root, input).await.map(|_| ())
    }

    async fn promote(&self) -> Result<(), Problem> {
        let input = StopReplicationToReplicaRequest { secret_id: "s".to_owned() };
        let away = &self.away;
        away.call::<ops::StopReplicationToReplica>(&away.root, input).await.map(|_| ())
    }

    async fn status(&self) -> Option<StatusType> {
        let replicas = self.home.describe("s").await.replication_status;
        replicas.and_then(|replicas| replicas[0].status)
    }

    /// What the secret says away, if it is there.
    async fn there(&self) -> Option<String> {
        let value = self.away.get("s").await.ok()?;
        Some(value.secret_string.unwrap().0.clone())
    }
}

#[tokio::test]
async fn a_replica_follows_once_its_deployment_is_told() {
    let two = Two::new().await;
    two.home.create("s", "1").await;
    two.replicate().await.unwrap();
    assert_eq!(two.status().await, Some(StatusType::InProgress));
    assert_eq!(two.there().await, None);
    two.settle().await;
    assert_eq!(two.status().await, Some(StatusType::InSync));
    assert_eq!(two.there().await.as_deref(), Some("1"));
    let (home, away) = (two.home.describe("s").await, two.away.describe("s").await);
    assert_eq!(away.arn, home.arn.map(|arn| arn.replace(HOME, AWAY)));
    assert_eq!(away.primary_region.as_deref(), Some(HOME));
    two.wire.cut(true);
    for value in ["2", "3", "4"] {
        two.home.put("s", value).await;
    }
    two.settle().await;
    assert_eq!(two.status().await, Some(StatusType::InProgress));
    assert_eq!(two.there().await.as_deref(), Some("1"));
    two.wire.cut(false);
    two.settle().await;
    assert_eq!(two.status().await, Some(StatusType::InSync));
    assert_eq!(two.there().await.as_deref(), Some("4"));
    let (home, away) = (two.home.describe("s").await, two.away.describe("s").await);
    assert_eq!(away.version_ids_to_stages, home.version_ids_to_stages);
    // Known values go over the wire sealed.
    let bodies: Vec<u8> = two.wire.said().into_iter().flat_map(|said| said.body).collect();
    assert!(!String::from_utf8(bodies).unwrap().contains("\"value\":\"MQ==\""));
}

#[tokio::test]
async fn a_replica_is_promoted_while_its_primary_is_cut_off() {
    let two = Two::new().await;
    two.home.create("s", "1").await;
    two.replicate().await.unwrap();
    two.settle().await;
    two.wire.cut(true);
    two.promote().await.unwrap();
    two.away.put("s", "own").await;
    two.home.put("s", "2").await;
    two.wire.cut(false);
    two.settle().await;
    assert_eq!(two.status().await, None);
    assert_eq!(two.there().await.as_deref(), Some("own"));
    // Whatever is late, it stays so.
    let all = two.wire.said();
    for said in all.iter().rev().chain(&all) {
        let _ = two.wire.deliver(said).await;
    }
    two.settle().await;
    assert_eq!(two.there().await.as_deref(), Some("own"));
    assert_eq!(two.home.text("s").await, "2");
}

#[tokio::test]
async fn a_secret_of_the_same_name_is_left_alone() {
    let two = Two::new().await;
    two.away.create("s", "theirs").await;
    two.home.create("s", "1").await;
    two.replicate().await.unwrap();
    two.settle().await;
    assert_eq!(two.status().await, Some(StatusType::Failed));
    assert_eq!(two.there().await.as_deref(), Some("theirs"));
    two.remove().await.unwrap();
    two.settle().await;
    assert_eq!(two.there().await.as_deref(), Some("theirs"));
}

#[tokio::test]
async fn no_order_of_messages_cuts_and_repetitions_splits_or_revives_a_secret() {
    for seed in 0..60_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let two = Two::new().await;
        two.home.create("s", "0").await;
        two.replicate().await.unwrap();
        let (mut value, mut promoted) = (0, None);
        for _ in 0..25 {
            match next(9) {
                0 => two.wire.cut(next(2) == 0),
                1 => two.wire.loses_answers.store(next(2) == 0, Ordering::SeqCst),
                2 | 3 => {
                    value += 1;
                    two.home.put("s", &value.to_string()).await;
                }
                4 if next(2) == 0 => drop(two.remove().await),
                5 => drop(two.replicate().await),
                6 => {
                    let said = two.wire.said();
                    if !said.is_empty() {
                        let place = usize::try_from(next(said.len() as u64)).unwrap();
                        let _ = two.wire.deliver(&said[place]).await;
                    }
                }
                7 if next(6) == 0 && promoted.is_none() => {
                    if two.promote().await.is_ok() {
                        two.away.put("s", "own").await;
                        promoted = Some("own");
                    }
                }
                _ => {
                    two.home.pass(10).await;
                    two.away.pass(10).await;
                }
            }
            if promoted.is_some() {
                assert_eq!(two.there().await.as_deref(), promoted, "seed {seed}");
            }
        }
        two.wire.cut(false);
        two.wire.loses_answers.store(false, Ordering::SeqCst);
        two.settle().await;
        two.settle().await;
        let expected = value.to_string();
        assert_eq!(two.home.text("s").await, expected, "seed {seed}");
        match (promoted, two.status().await) {
            (Some(own), status) => {
                assert_eq!(two.there().await.as_deref(), Some(own), "seed {seed}");
                assert_ne!(status, Some(StatusType::InSync), "seed {seed}");
            }
            (None, Some(StatusType::InSync)) => {
                assert_eq!(two.there().await, Some(expected), "seed {seed}");
            }
            (None, None) => assert_eq!(two.there().await, None, "seed {seed}"),
            (None, status) => panic!("seed {seed}: {status:?}"),
        }
    }
}

#[tokio::test]
async fn a_policy_that_comes_from_home_means_the_user_who_had_the_name_when_it_came() {
    let two = Two::new().await;
    let directory = two.away.kit.directory();
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    directory.make(&arn, "AIDATESTBOB");
    let policy = |sid: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}","Effect":"Allow",
            "Principal":{{"AWS":"{arn}"}},"Action":"secretsmanager:GetSecretValue",
            "Resource":"*"}}]}}"#
        )
    };
    let bob = two.away.kit.user(ACCOUNT, "bob", &[]);
    let may_read = async || two.away.get_as(&bob, "s").await.is_ok();
    two.home.create("s", "1").await;
    two.home.put_policy("s", &policy("first")).await;
    two.replicate().await.unwrap();
    two.settle().await;
    assert!(may_read().await);
    // Other changes leave it as it came.
    directory.make(&arn, "AIDAOFALATERBOB");
    two.home.put("s", "2").await;
    two.settle().await;
    assert_eq!(two.there().await.as_deref(), Some("2"));
    assert!(may_read().await);
    two.home.put_policy("s", &policy("second")).await;
    two.settle().await;
    assert!(!may_read().await);
}

#[tokio::test]
async fn the_key_that_a_replica_was_given_in_its_region_stays_whatever_follows() {
    let two = Two::new().await;
    two.home.create("s", "1").await;
    two.replicate().await.unwrap();
    two.settle().await;
    let away = &two.away;
    let create = CreateKeyRequest::default();
    let key = away.kit.call::<kms::CreateKey, _>(&*away.kms, &away.root, create).await;
    let key = key.unwrap().key_metadata.unwrap().arn;
    let input = UpdateSecretRequest {
        secret_id: "s".to_owned(),
        kms_key_id: key.clone(),
        ..Default::default()
    };
    away.call::<ops::UpdateSecret>(&away.root, input).await.unwrap();
    two.home.put("s", "2").await;
    two.settle().await;
    assert_eq!(two.there().await.as_deref(), Some("2"));
    assert_eq!(away.describe("s").await.kms_key_id, key);
    // A replica that is asked for anew has the key that it was asked for with.
    two.remove().await.unwrap();
    two.settle().await;
    two.replicate().await.unwrap();
    two.settle().await;
    assert_eq!(two.there().await.as_deref(), Some("2"));
    assert_eq!(away.describe("s").await.kms_key_id, None);
}
