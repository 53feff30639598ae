//! Renames a unit; its id and what hangs on it stay.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::UpdateOrganizationalUnit;
use haechi_organizations_model::shapes::{
    UpdateOrganizationalUnitRequest, UpdateOrganizationalUnitResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{no_unit, unit_exists};
use crate::store::UnitRecord;

impl Handle<UpdateOrganizationalUnit> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateOrganizationalUnitRequest,
    ) -> Result<UpdateOrganizationalUnitResponse, Error> {
        let id = input.organizational_unit_id.as_str();
        let organization = self.admit(cx, Reach::Management, |it| About::of(it, &[id])).await?;
        let Some(row) = organization.units.get(id) else { return Err(no_unit()) };
        let name = input.name.unwrap_or_else(|| row.value.name.clone());
        let mut siblings = organization.units_of(&row.value.parent);
        if siblings.any(|unit| unit.name == name && unit.id != id) {
            return Err(unit_exists());
        }
        let unit = UnitRecord { name, ..row.value.clone() };
        let mut change = organization.change();
        change.batch.replace(row, &unit);
        self.save(cx, change).await?;
        let organizational_unit = Some(organization.shown_unit(&unit));
        Ok(UpdateOrganizationalUnitResponse { organizational_unit })
    }
}
