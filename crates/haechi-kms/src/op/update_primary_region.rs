//! `UpdatePrimaryRegion`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::UpdatePrimaryRegion;
use haechi_kms_model::shapes::UpdatePrimaryRegionRequest;
use haechi_wire::shape::Unit;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::multi_region::siblings;
use crate::rotation::check_primary;

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
        // Who makes a replica the primary needs the leave of both.
        let replica = self.key_in(to, &record.account, &record.id).await?;
        let (replica, _) = admit(cx, replica, facts)?;
        replica.admit(Use::Material)?;

        at.replicas.insert(std::mem::replace(&mut at.primary, to.to_owned()));
        let mut siblings = siblings(&self.database, record).await?;
        record.spread(&mut siblings, &at);
        let mut batch = Batch::new();
        // The next rotation is the new primary's.
        if let Some(job) = record.rotation_job() {
            batch.schedule(&job);
        }
        for (row, sibling) in &siblings {
            batch.replace(row, sibling);
        }
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
