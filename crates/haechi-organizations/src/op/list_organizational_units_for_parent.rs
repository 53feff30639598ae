//! Lists the units right below a parent.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListOrganizationalUnitsForParent;
use haechi_organizations_model::shapes::{
    ListOrganizationalUnitsForParentRequest, ListOrganizationalUnitsForParentResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_parent;
use crate::paging::page;
use crate::store::UnitRecord;

impl Handle<ListOrganizationalUnitsForParent> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListOrganizationalUnitsForParentRequest,
    ) -> Result<ListOrganizationalUnitsForParentResponse, Error> {
        let parent = input.parent_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[parent])).await?;
        organization.parent(parent).ok_or_else(no_parent)?;
        let units: Vec<_> = organization.units_of(parent).collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (units, next_token) = page(units, |unit| unit.id.clone(), token, most)?;
        let shown = |units: Vec<&UnitRecord>| {
            units.into_iter().map(|unit| organization.shown_unit(unit)).collect()
        };
        let organizational_units = units.map(shown);
        Ok(ListOrganizationalUnitsForParentResponse { organizational_units, next_token })
    }
}
