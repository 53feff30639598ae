//! `GetKeyRotationStatus`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GetKeyRotationStatus;
use haechi_kms_model::shapes::{GetKeyRotationStatusRequest, GetKeyRotationStatusResponse};
use haechi_wire::Timestamp;

use crate::authz::{Facts, admit};
use crate::identifier::Identifier;
use crate::store::no_alias;
use crate::{Kms, rotation};

impl Handle<GetKeyRotationStatus> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetKeyRotationStatusRequest,
    ) -> Result<GetKeyRotationStatusResponse, Error> {
        if let Identifier::Alias { .. } = Identifier::parse(cx, &input.key_id)? {
            return Err(no_alias());
        }
        let found = self.key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        let record = &key.record;
        rotation::check_own_material(record)?;
        // A doomed key does not rotate; one that is saved goes on as before.
        let rotation = record.rotation.as_ref().filter(|_| !record.state.is_doomed());
        Ok(GetKeyRotationStatusResponse {
            key_rotation_enabled: Some(rotation.is_some()),
            key_id: Some(key.arn().to_owned()),
            rotation_period_in_days: rotation.map(|rotation| rotation.period_days),
            next_rotation_date: rotation.map(|rotation| Timestamp::from_millis(rotation.next_ms)),
            // A rotation on demand is done when it is answered, unless it waits for Regions that
            // another deployment serves.
            on_demand_rotation_start_date: record
                .rotates_now()
                .filter(|rotation| rotation.on_demand)
                .map(|rotation| Timestamp::from_millis(rotation.at_ms)),
        })
    }
}
