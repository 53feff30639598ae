//! Lists the policies of a type, AWS's own among them.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListPolicies;
use haechi_organizations_model::shapes::{ListPoliciesRequest, ListPoliciesResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::organization::Organization;
use crate::paging::page;
use crate::policy;
use crate::store::PolicyRecord;

impl Handle<ListPolicies> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListPoliciesRequest,
    ) -> Result<ListPoliciesResponse, Error> {
        let kind = input.filter.as_str();
        let about = |_: &Organization| About::all().policy_type(kind);
        let organization = self.admit(cx, Reach::Readers, about).await?;
        let own = organization.policies.values().map(|row| &row.value);
        let own = own.filter(|policy| policy.kind == kind);
        let all: Vec<_> = policy::managed_of(kind).chain(own).collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (found, next_token) = page(all, |policy| policy.id.clone(), token, most)?;
        let shown = |policies: Vec<&PolicyRecord>| {
            policies.into_iter().map(|policy| organization.shown_summary(policy)).collect()
        };
        Ok(ListPoliciesResponse { policies: found.map(shown), next_token })
    }
}
