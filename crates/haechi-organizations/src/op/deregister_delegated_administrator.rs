//! Takes the administration of a service from an account.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DeregisterDelegatedAdministrator;
use haechi_organizations_model::shapes::DeregisterDelegatedAdministratorRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::delegation;
use crate::error::{no_account, not_registered};
use crate::organization::Organization;

impl Handle<DeregisterDelegatedAdministrator> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeregisterDelegatedAdministratorRequest,
    ) -> Result<Unit, Error> {
        let (id, service) = (input.account_id.as_str(), input.service_principal.as_str());
        let about = |it: &Organization| About::of(it, &[id]).service(service);
        let organization = self.admit(cx, Reach::Management, about).await?;
        delegation::check(service)?;
        let member = organization.account(id).ok_or_else(no_account)?;
        if !member.delegated.contains_key(service) {
            return Err(not_registered());
        }
        let mut change = organization.change();
        change.member(id, |member| {
            member.delegated.remove(service);
        });
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
