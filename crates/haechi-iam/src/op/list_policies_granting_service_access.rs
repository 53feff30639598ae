//! Lists the policies by which a user, group or role may use services.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListPoliciesGrantingServiceAccess;
use haechi_iam_model::shapes::{
    ListPoliciesGrantingServiceAccessEntry, ListPoliciesGrantingServiceAccessRequest,
    ListPoliciesGrantingServiceAccessResponse,
};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::listing::page;

impl Handle<ListPoliciesGrantingServiceAccess> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListPoliciesGrantingServiceAccessRequest,
    ) -> Result<ListPoliciesGrantingServiceAccessResponse, Error> {
        authorize(cx, &input.arn, &Conditions::default())?;
        let held = self.held(cx.account(), &input.arn).await?;
        let numbered = input.service_namespaces.into_iter().enumerate();
        // In the order of the request, which a marker counts through.
        let order = |entry: &(usize, String)| format!("{:03}", entry.0);
        let found = page(numbered, order, input.marker.as_deref(), None)?;
        let entries = found.items.into_iter().map(|(_, namespace)| {
            let granting = held.iter().filter(|one| one.grants(&namespace));
            ListPoliciesGrantingServiceAccessEntry {
                policies: Some(granting.map(|one| one.policy.clone()).collect()),
                service_namespace: Some(namespace),
            }
        });
        Ok(ListPoliciesGrantingServiceAccessResponse {
            policies_granting_service_access: entries.collect(),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
