//! Takes from a service what `EnableAWSServiceAccess` gave it.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DisableAWSServiceAccess;
use haechi_organizations_model::shapes::DisableAWSServiceAccessRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::delegation;
use crate::error::constraint;
use crate::organization::Organization;

impl Handle<DisableAWSServiceAccess> for Organizations {
    async fn handle(&self, cx: &Cx, input: DisableAWSServiceAccessRequest) -> Result<Unit, Error> {
        let service = input.service_principal.as_str();
        let about = |_: &Organization| About::all().service(service);
        let organization = self.admit(cx, Reach::Management, about).await?;
        delegation::check(service)?;
        let mut members = organization.accounts.values().map(|row| &row.value);
        if members.any(|member| member.delegated.contains_key(service)) {
            let message = "You can't disable service access while delegated administrators are \
                registered for the service.";
            return Err(constraint("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", message));
        }
        let mut change = organization.change();
        change.head.services.remove(service);
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
