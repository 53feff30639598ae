//! `ListKeyRotations`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListKeyRotations;
use haechi_kms_model::shapes::{
    ExpirationModelType, ImportState, IncludeKeyMaterial, KeyMaterialState,
    ListKeyRotationsRequest, ListKeyRotationsResponse, RotationType, RotationsListEntry,
};
use haechi_wire::Timestamp;

use crate::authz::{Facts, admit};
use crate::material::MaterialRecord;
use crate::multi_region::{Siblings, siblings};
use crate::rotation::check_symmetric;
use crate::store::KeyRecord;
use crate::{Kms, paging};

/// Rotations on a page, unless asked otherwise.
const LIMIT_DEFAULT: u32 = 100;

impl Handle<ListKeyRotations> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListKeyRotationsRequest,
    ) -> Result<ListKeyRotationsResponse, Error> {
        let found = self.own_key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        let record = &key.record;
        check_symmetric(record)?;
        let all = input.include_key_material == Some(IncludeKeyMaterial::AllKeyMaterial);
        let rows = record.materials.iter().filter(|row| all || row.rotated.is_some());
        let limit = paging::limit(input.limit, LIMIT_DEFAULT);
        let (scope, marker) = (paging::scope(cx, &record.id), input.marker.as_deref());
        let (page, next_marker) = paging::page_after(&scope, rows, |row| &row.id, marker, limit)?;
        let waits = record.multi_region.is_some() && record.materials.iter().any(|row| row.pending);
        let siblings = match waits {
            true => siblings(&self.database, &self.peers, record).await?,
            false => Siblings::default(),
        };
        let entries = page.into_iter().map(|row| entry(record, &siblings, row));
        Ok(ListKeyRotationsResponse {
            rotations: Some(entries.collect()),
            truncated: Some(next_marker.is_some()),
            next_marker,
        })
    }
}

fn entry(key: &KeyRecord, siblings: &Siblings, row: &MaterialRecord) -> RotationsListEntry {
    let current = key.current().map(|row| row.id.as_str());
    let imported = row.imported.as_ref();
    // Of material that is not there nothing is to expire.
    let expiring = imported.filter(|_| row.is_present());
    let state = if current == Some(row.id.as_str()) {
        KeyMaterialState::Current
    } else if !row.pending {
        KeyMaterialState::NonCurrent
    } else if !row.is_present() || siblings.lack(key, &row.id) {
        // Of a key of several Regions, all of which wait for the last one.
        KeyMaterialState::PendingMultiRegionImportAndRotation
    } else {
        KeyMaterialState::PendingRotation
    };
    RotationsListEntry {
        key_id: Some(key.id.clone()),
        key_material_id: Some(row.id.clone()),
        key_material_description: imported.and_then(|imported| imported.description.clone()),
        import_state: imported.map(|_| {
            if row.is_present() { ImportState::Imported } else { ImportState::PendingImport }
        }),
        key_material_state: Some(state),
        expiration_model: expiring.map(|imported| match imported.valid_to_ms {
            Some(_) => ExpirationModelType::KeyMaterialExpires,
            None => ExpirationModelType::KeyMaterialDoesNotExpire,
        }),
        valid_to: expiring.and_then(|imported| imported.valid_to_ms).map(Timestamp::from_millis),
        rotation_date: row.rotated.as_ref().map(|at| Timestamp::from_millis(at.at_ms)),
        rotation_type: row
            .rotated
            .as_ref()
            .map(|at| if at.on_demand { RotationType::OnDemand } else { RotationType::Automatic }),
    }
}
