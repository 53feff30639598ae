//! Lists the services with trusted access.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListAWSServiceAccessForOrganization;
use haechi_organizations_model::shapes::{
    EnabledServicePrincipal, ListAWSServiceAccessForOrganizationRequest,
    ListAWSServiceAccessForOrganizationResponse,
};
use haechi_wire::Timestamp;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::paging::page;

impl Handle<ListAWSServiceAccessForOrganization> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAWSServiceAccessForOrganizationRequest,
    ) -> Result<ListAWSServiceAccessForOrganizationResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let all: Vec<_> = organization.record().services.iter().collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (found, next_token) = page(all, |(name, _)| (*name).clone(), token, most)?;
        let shown = |(name, since_ms): (&String, &i64)| EnabledServicePrincipal {
            service_principal: Some(name.clone()),
            date_enabled: Some(Timestamp::from_millis(*since_ms)),
        };
        let enabled_service_principals = found.map(|all| all.into_iter().map(shown).collect());
        Ok(ListAWSServiceAccessForOrganizationResponse { enabled_service_principals, next_token })
    }
}
