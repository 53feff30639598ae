//! Describes the organization; each of its accounts may ask.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribeOrganization;
use haechi_organizations_model::shapes::DescribeOrganizationResponse;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};

impl Handle<DescribeOrganization> for Organizations {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<DescribeOrganizationResponse, Error> {
        let organization = self.admit(cx, Reach::Everyone, |_| About::all()).await?;
        Ok(DescribeOrganizationResponse { organization: Some(organization.shown()) })
    }
}
