//! Tells what policies that the request brings would decide.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::SimulateCustomPolicy;
use haechi_iam_model::shapes::{SimulateCustomPolicyRequest, SimulatePolicyResponse};
use haechi_policy::Kind;

use crate::Iam;
use crate::simulate::{self, Simulation, Source};

impl Handle<SimulateCustomPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: SimulateCustomPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        cx.authorize_any()?;
        let handling = input.resource_handling_option.as_deref();
        simulate::check(handling, &input.action_names, input.resource_arns.as_deref())?;
        let owner = simulate::owner(input.resource_owner.as_deref())?;
        let identity = Source::list(&input.policy_input_list, Kind::Identity, "PolicyInputList")?;
        let limit = Source::boundary(input.permissions_boundary_policy_input_list.as_deref())?;
        let resource = input.resource_policy.as_deref().map(Source::resource).transpose()?;
        let caller = simulate::caller(input.caller_arn, None, resource.is_some())?;
        let caller_named = caller.is_some();
        let nobody = || format!("arn:aws:iam::{}:user/simulation", cx.account());
        let levels = input.ordered_organization_policy_input_list.unwrap_or_default();
        let principal = simulate::principal(&caller.unwrap_or_else(nobody), "");
        let entries = input.context_entries.unwrap_or_default();
        let context = simulate::context(&entries, caller_named.then_some(&principal));
        let simulation = Simulation {
            principal,
            identity,
            boundary: limit,
            resource,
            organized: !levels.is_empty(),
            service_control: simulate::ordered(levels)?,
            owner,
            caller_named,
            context,
        };
        let results = simulation.run(&input.action_names, input.resource_arns.as_deref());
        simulate::paged(results, input.marker.as_deref(), input.max_items)
    }
}
