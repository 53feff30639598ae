//! `RotateKeyOnDemand`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::RotateKeyOnDemand;
use haechi_kms_model::shapes::{RotateKeyOnDemandRequest, RotateKeyOnDemandResponse};

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::import::{EXTERNAL, make_current};
use crate::key::Use;
use crate::material::Rotated;
use crate::multi_region::siblings;
use crate::rotation::{NEAR_MS, ON_DEMAND_MAX, check_own_material, check_primary, check_symmetric};
use crate::store::Key;

impl Handle<RotateKeyOnDemand> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: RotateKeyOnDemandRequest,
    ) -> Result<RotateKeyOnDemandResponse, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        let now_ms = cx.now().millis();
        check(key.as_ref(), now_ms)?;
        let mut batch = Batch::new();
        let record = key.record();
        let before = record.current().map(|row| row.id.clone());
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        let rotated = Rotated { at_ms: now_ms, on_demand: true, unknown: Unknown::new() };
        if record.origin == EXTERNAL {
            make_current(record, &mut siblings, &rotated)?;
        } else {
            record.rotate(&self.env, &self.database, &mut siblings, rotated, &mut batch)?;
        }
        let (how, at) = ((before.as_deref(), true), (&self.env, cx.now()));
        record.tell_rotation(&siblings, how, at, &mut batch)?;
        siblings.save(record, cx.now(), &mut batch);
        let arn = record.arn.clone();
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(RotateKeyOnDemandResponse { key_id: Some(arn) })
    }
}

/// In AWS's order, as recorded: the state comes before the key spec.
fn check(key: &Key, now_ms: i64) -> Result<(), Error> {
    let record = &key.record;
    check_own_material(record)?;
    key.admit(Use::Material)?;
    check_symmetric(record)?;
    check_primary(record)?;
    if record.on_demand_rotations() >= ON_DEMAND_MAX {
        return Err(Error::LimitExceededException(format!(
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand \
             rotations can be performed for this key: {}",
            record.arn
        )));
    }
    if record.rotates_now().is_some() {
        return Err(Error::ConflictException(format!(
            "A rotation of {} is in progress: it waits for Regions that are served elsewhere.",
            record.arn
        )));
    }
    let near = |at_ms: i64| at_ms <= now_ms.saturating_add(NEAR_MS);
    if record.rotation.as_ref().is_some_and(|rotation| near(rotation.next_ms)) {
        return Err(Error::ConflictException(format!(
            "An automatic rotation of {} is in progress or begins within 20 minutes.",
            record.arn
        )));
    }
    Ok(())
}
