//! Describes a unit.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribeOrganizationalUnit;
use haechi_organizations_model::shapes::{
    DescribeOrganizationalUnitRequest, DescribeOrganizationalUnitResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_unit;

impl Handle<DescribeOrganizationalUnit> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeOrganizationalUnitRequest,
    ) -> Result<DescribeOrganizationalUnitResponse, Error> {
        let id = input.organizational_unit_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[id])).await?;
        let unit = organization.unit(id).ok_or_else(no_unit)?;
        let organizational_unit = Some(organization.shown_unit(unit));
        Ok(DescribeOrganizationalUnitResponse { organizational_unit })
    }
}
