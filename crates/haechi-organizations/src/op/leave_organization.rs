//! Takes the caller's account out of its organization.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::LeaveOrganization;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};

impl Handle<LeaveOrganization> for Organizations {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<Unit, Error> {
        let organization = self.admit(cx, Reach::Everyone, |_| About::all()).await?;
        self.part(cx, &organization, cx.account().as_str()).await?;
        Ok(Unit)
    }
}
