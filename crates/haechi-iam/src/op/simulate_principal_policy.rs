//! Tells what the policies of a user, group or role would decide, with others that the request brings.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::SimulatePrincipalPolicy;
use haechi_iam_model::shapes::{SimulatePolicyResponse, SimulatePrincipalPolicyRequest};
use haechi_policy::Kind;

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::simulate::{self, Excluded, Simulation, Source};

impl Handle<SimulatePrincipalPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: SimulatePrincipalPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        let source = input.policy_source_arn;
        authorize(cx, &source, &Conditions::default())?;
        let handling = input.resource_handling_option.as_deref();
        simulate::check(handling, &input.action_names, input.resource_arns.as_deref())?;
        let owner = simulate::owner(input.resource_owner.as_deref())?;
        let excluded = Excluded(input.policy_exclusion_list.unwrap_or_default());
        let found = self.simulated(cx, &source, &excluded).await?;
        let mut identity = found.identity;
        let added = input.policy_input_list.unwrap_or_default();
        identity.extend(Source::list(&added, Kind::Identity, "PolicyInputList")?);
        let limit = Source::boundary(input.permissions_boundary_policy_input_list.as_deref())?;
        let resource = input.resource_policy.as_deref().map(Source::resource).transpose()?;
        let caller = simulate::caller(input.caller_arn, Some(source.clone()), resource.is_some())?;
        let principal = simulate::principal(&caller.unwrap_or(source), &found.unique_id);
        let (organized, service_control) = simulate::guardrails(cx, &principal);
        let entries = input.context_entries.unwrap_or_default();
        let context = simulate::context(&entries, Some(&principal));
        let simulation = Simulation {
            principal,
            identity,
            boundary: limit.or(found.boundary),
            resource,
            organized,
            service_control: excluded.filter(service_control),
            owner,
            caller_named: true,
            context,
        };
        let results = simulation.run(&input.action_names, input.resource_arns.as_deref());
        simulate::paged(results, input.marker.as_deref(), input.max_items)
    }
}
