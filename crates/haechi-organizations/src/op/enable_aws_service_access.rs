//! Lets a service act in the organization's accounts.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::EnableAWSServiceAccess;
use haechi_organizations_model::shapes::EnableAWSServiceAccessRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::delegation;
use crate::organization::Organization;

impl Handle<EnableAWSServiceAccess> for Organizations {
    async fn handle(&self, cx: &Cx, input: EnableAWSServiceAccessRequest) -> Result<Unit, Error> {
        let service = input.service_principal.as_str();
        let about = |_: &Organization| About::all().service(service);
        let organization = self.admit(cx, Reach::Management, about).await?;
        delegation::check(service)?;
        let mut change = organization.change();
        change.head.services.entry(service.to_owned()).or_insert_with(|| cx.now().millis());
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
