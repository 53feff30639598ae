//! `UpdatePrimaryRegion`.

use haechi_core::{Batch, Cx, Handle, Region, Resource};
use haechi_kms_model::Error;
use haechi_kms_model::ops::UpdatePrimaryRegion;
use haechi_kms_model::shapes::UpdatePrimaryRegionRequest;
use haechi_peer::{Place, Subject};
use haechi_wire::Timestamp;
use haechi_wire::shape::Unit;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::multi_region::{Siblings, siblings};
use crate::peering::{Birth, Elsewhere};
use crate::rotation::check_primary;
use crate::store::KeyRecord;

impl Handle<UpdatePrimaryRegion> for Kms {
    async fn handle(&self, cx: &Cx, input: UpdatePrimaryRegionRequest) -> Result<Unit, Error> {
        let to = input.primary_region.as_str();
        let extra = [("kms:primaryregion", to)];
        let facts = Facts { extra: &extra, ..Facts::default() };
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, facts)?;
        let record = key.record();
        check_primary(record)?;
        let Some(mut at) = record.multi_region.clone() else {
            let message = format!("{} is not a multi-region key.", record.arn);
            return Err(Error::UnsupportedOperationException(message));
        };
        record.state.admit(Use::Material).map_err(|refusal| refusal.of(&record.arn))?;
        if at.primary == to {
            let message = format!("{} is the primary key already.", record.arn);
            return Err(Error::UnsupportedOperationException(message));
        }
        if !at.replicas.remove(to) {
            let message = format!("Key '{}' does not exist", record.arn_in(to));
            return Err(Error::NotFoundException(message));
        }
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        let place = siblings.elsewhere.as_ref().map_or(Place::Here, |other| other.place(to));
        match &place {
            // Who makes a replica the primary needs the leave of both.
            Place::Here => {
                let own = cx.take_noted();
                let replica = self.key_in(to, &record.account, &record.id).await?;
                let extra = [("kms:primaryregion", to), ("aws:requestedregion", to)];
                let facts = Facts { extra: &extra, ..Facts::default() };
                let (replica, _) = admit(cx, replica, facts)?;
                replica.admit(Use::Material)?;
                // The record of its own Region tells of it.
                drop(cx.take_noted());
                own.into_iter().for_each(|key| cx.note(key));
            }
            Place::Peer(peer) => ready(&siblings, peer, record, cx.now()).await?,
            Place::Nowhere => return Err(unanswered(record)),
        }

        at.replicas.insert(std::mem::replace(&mut at.primary, to.to_owned()));
        record.spread(&mut siblings, &at);
        let mut batch = Batch::new();
        // The next rotation is the new primary's.
        if let Some(job) = record.rotation_job().filter(|_| place == Place::Here) {
            batch.schedule(&job);
        }
        for (row, sibling) in &siblings.rows {
            batch.replace(row, sibling);
        }
        if let Some(elsewhere) = &mut siblings.elsewhere {
            hand_over(elsewhere, record, to, cx.now(), &mut batch);
        }
        let (arn, account) = (record.arn_in(to), record.account.clone());
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        // Both Regions have a record.
        if place == Place::Here
            && let Some(region) = Region::parse(to)
        {
            let input = UpdatePrimaryRegionRequest { key_id: arn.clone(), ..input };
            let there = Resource { arn, account, kind: "AWS::KMS::Key" };
            let call = (&input, &Unit);
            cx.made_elsewhere::<UpdatePrimaryRegion>("kms", region, call, there)?;
        }
        Ok(Unit)
    }
}

/// Whether the deployment of the new primary has all that there is, and answers now: authority that
/// is handed over is nobody's until it has arrived.
async fn ready(
    siblings: &Siblings,
    peer: &str,
    record: &KeyRecord,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(elsewhere) = &siblings.elsewhere else { return Ok(()) };
    let link = &elsewhere.link;
    if link.confirmed.get(peer) != Some(&link.version) || link.awaited.is_some() {
        let message = format!("{} is being synchronized with other Regions.", record.arn);
        return Err(Error::KMSInvalidStateException(message));
    }
    let asked = elsewhere.peers().send(peer, Subject::Ping, Vec::new(), now.millis()).await;
    asked.map(|_| ()).map_err(|_| unanswered(record))
}

fn unanswered(record: &KeyRecord) -> Error {
    Error::DependencyTimeoutException(format!(
        "The deployment of the new primary of {} does not answer. Nothing was changed.",
        record.arn
    ))
}

/// From now on the primary's deployment tells what the Regions have in common; this one tells it so.
fn hand_over(
    elsewhere: &mut Elsewhere,
    record: &KeyRecord,
    to: &str,
    now: Timestamp,
    batch: &mut Batch,
) {
    if !elsewhere.is_known() {
        return;
    }
    elsewhere.link.births.remove(to);
    let (version, beginning) = (elsewhere.link.version + 1, None);
    elsewhere.link.births.insert(record.region.clone(), Birth { version, beginning });
    elsewhere.share(record, now, batch);
}
