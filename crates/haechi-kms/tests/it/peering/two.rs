//! Two deployments of KMS and the wire between them.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::Region;
use haechi_kms::Kms;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::AlgorithmSpec as Algorithm;
use haechi_kms_model::shapes::*;
use haechi_peer::message::{KeyReport, KeyState, parse, write};
use haechi_peer::{Answer, Inbox, Peer, Peers, Refusal, Subject};
use haechi_testkit::peering::{Ready, Wire, again, two};
use haechi_wire::Problem;

use crate::world::*;

pub const HOME: &str = "eu-west-1";
pub const AWAY: &str = "us-east-1";

/// What is said to a KMS.
struct Door(Arc<Kms>);

#[async_trait]
impl Inbox for Door {
    async fn take(&self, from: &Peer, subject: Subject, body: &[u8]) -> Result<Answer, Refusal> {
        match subject {
            Subject::KeyState => {
                let state: KeyState = parse(body)?;
                write(&self.0.take_key_state(from, &state).await?)
            }
            Subject::KeyReport => {
                let report: KeyReport = parse(body)?;
                self.0.take_key_report(from, &report).await.map(|()| Answer::new())
            }
            other => Err(Refusal::new(format!("{other:?}"))),
        }
    }
}

/// Two deployments: `home` serves [`HOME`], `away` serves [`AWAY`].
pub struct Two {
    pub home: Side,
    pub away: Side,
    pub wire: Arc<Wire>,
    /// How `away` knows `home`.
    pub home_card: Peer,
}

pub struct Side {
    pub world: World,
    pub kms: Arc<Kms>,
    pub id: String,
    pub peers: Arc<Peers>,
    door: Arc<dyn Inbox>,
}

impl Two {
    pub async fn new() -> Two {
        let wire = Arc::new(Wire::default());
        let [home, away] = two(&wire, [HOME, AWAY]);
        let (home_card, away_card) = (again(&home.known_as), again(&away.known_as));
        let (home, away) = (Side::new(home, HOME).await, Side::new(away, AWAY).await);
        wire.lead_to(&home.id, &home.door, away_card);
        wire.lead_to(&away.id, &away.door, again(&home_card));
        Two { home, away, wire, home_card }
    }

    pub fn cut(&self, cut: bool) {
        self.wire.cut(cut);
    }

    /// Lets all that is due happen on both sides, until nothing is left to be said.
    pub async fn settle(&self) {
        for _ in 0..6 {
            for side in [&self.home, &self.away] {
                side.world.kit.clock.advance(10);
                side.world.kit.jobs.run_due().await.unwrap();
            }
        }
    }

    pub async fn replicated_key(&self) -> String {
        let input = CreateKeyRequest { multi_region: Some(true), ..Default::default() };
        let id = self.home.world.key_with(input).await.key_id;
        self.home.replicate(&id, AWAY).await.unwrap();
        self.settle().await;
        id
    }
}

impl World {
    pub async fn import_bytes(&self, id: &str, material: &[u8], import_type: Option<ImportType>) {
        let input = self.importing(id, material, Algorithm::RsaesOaepSha256).await;
        self.import(ImportKeyMaterialRequest { import_type, ..input }).await.unwrap();
    }
}

impl Side {
    async fn new(ready: Ready, region: &str) -> Side {
        let mut world = World::new().await;
        world.kit.region = Region::parse(region).unwrap();
        let kit = &world.kit;
        let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
        let id = ready.peers.identity().id.clone();
        world.kms.use_peers(Arc::clone(&ready.peers));
        kms.use_peers(Arc::clone(&ready.peers));
        let kms = Arc::new(kms);
        let door = Arc::new(Door(Arc::clone(&kms))) as Arc<dyn Inbox>;
        Side { world, kms, door, id, peers: ready.peers }
    }

    pub async fn replicate(&self, id: &str, to: &str) -> Result<ReplicateKeyResponse, Problem> {
        let (key_id, replica_region) = (id.to_owned(), to.to_owned());
        let input = ReplicateKeyRequest { key_id, replica_region, ..Default::default() };
        self.world.call::<ops::ReplicateKey>(&self.world.root, input).await
    }

    pub async fn make_primary(&self, id: &str, to: &str) -> Result<(), Problem> {
        let (key_id, primary_region) = (id.to_owned(), to.to_owned());
        let input = UpdatePrimaryRegionRequest { key_id, primary_region };
        self.world.call::<ops::UpdatePrimaryRegion>(&self.world.root, input).await.map(|_| ())
    }

    pub async fn material(&self, id: &str) -> Option<String> {
        self.world.describe(id).await.unwrap().current_key_material_id
    }

    pub async fn kind(&self, id: &str) -> (MultiRegionKeyType, String, usize) {
        let key = self.world.describe(id).await.unwrap();
        let at = key.multi_region_configuration.unwrap();
        let primary = at.primary_key.unwrap().region.unwrap();
        (at.multi_region_key_type.unwrap(), primary, at.replica_keys.unwrap().len())
    }

    pub async fn in_progress(&self, id: &str) -> bool {
        let input = GetKeyRotationStatusRequest { key_id: id.to_owned() };
        let status = self.world.call::<ops::GetKeyRotationStatus>(&self.world.root, input).await;
        status.unwrap().on_demand_rotation_start_date.is_some()
    }

    /// What this side encrypts, the other one decrypts.
    pub async fn is_read_by(&self, other: &Side, id: &str) {
        let blob = self.world.encrypt(&self.world.root, id).await.unwrap();
        let opened = other.world.decrypt(&other.world.root, &blob).await.unwrap();
        assert_eq!(opened, PLAINTEXT);
    }
}
