//! Removes an empty unit.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DeleteOrganizationalUnit;
use haechi_organizations_model::shapes::DeleteOrganizationalUnitRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{no_unit, unit_not_empty};

impl Handle<DeleteOrganizationalUnit> for Organizations {
    async fn handle(&self, cx: &Cx, input: DeleteOrganizationalUnitRequest) -> Result<Unit, Error> {
        let id = input.organizational_unit_id.as_str();
        let organization = self.admit(cx, Reach::Management, |it| About::of(it, &[id])).await?;
        let Some(row) = organization.units.get(id) else { return Err(no_unit()) };
        let children = organization.units_of(id).count() + organization.accounts_of(id).count();
        if children > 0 {
            return Err(unit_not_empty());
        }
        let mut change = organization.change();
        change.batch.remove(row);
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
