//! Makes an account the administrator of a service for the organization.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::RegisterDelegatedAdministrator;
use haechi_organizations_model::shapes::RegisterDelegatedAdministratorRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::delegation;
use crate::error::{constraint, no_account, registered};
use crate::organization::Organization;

impl Handle<RegisterDelegatedAdministrator> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: RegisterDelegatedAdministratorRequest,
    ) -> Result<Unit, Error> {
        let (id, service) = (input.account_id.as_str(), input.service_principal.as_str());
        let about = |it: &Organization| About::of(it, &[id]).service(service);
        let organization = self.admit(cx, Reach::Management, about).await?;
        delegation::check(service)?;
        let member = organization.account(id).ok_or_else(no_account)?;
        if id == organization.management() {
            let message = "You cannot register master account/yourself as delegated administrator \
                for your organization.";
            return Err(constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", message));
        }
        if member.closed_ms.is_some() {
            let message = "You cannot register a suspended account as a delegated administrator.";
            let reason = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR";
            return Err(constraint(reason, message));
        }
        if !organization.record().services.contains_key(service) {
            let message = "You must enable service access before you register a delegated \
                administrator for the service.";
            return Err(constraint("SERVICE_ACCESS_NOT_ENABLED", message));
        }
        if member.delegated.contains_key(service) {
            return Err(registered());
        }
        let mut change = organization.change();
        change.member(id, |member| {
            member.delegated.insert(service.to_owned(), cx.now().millis());
        });
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
