//! Makes a member account stand alone.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::RemoveAccountFromOrganization;
use haechi_organizations_model::shapes::RemoveAccountFromOrganizationRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};

impl Handle<RemoveAccountFromOrganization> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveAccountFromOrganizationRequest,
    ) -> Result<Unit, Error> {
        let id = input.account_id.as_str();
        let organization = self.admit(cx, Reach::Management, |it| About::of(it, &[id])).await?;
        self.part(cx, &organization, id).await?;
        Ok(Unit)
    }
}
