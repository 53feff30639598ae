//! Tells what policies that the request brings would decide.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::SimulateCustomPolicy;
use haechi_iam_model::shapes::{SimulateCustomPolicyRequest, SimulatePolicyResponse};
use haechi_policy::Kind;

use crate::Iam;
use crate::listing::page;
use crate::policy::parse;
use crate::simulate::{self, Simulation};

impl Handle<SimulateCustomPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: SimulateCustomPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        cx.authorize_any()?;
        if input.ordered_organization_policy_input_list.is_some() {
            return Err(cx.unsupported().into());
        }
        let identity =
            simulate::compiled(&input.policy_input_list, Kind::Identity, "PolicyInputList")?;
        let (boundary, unique_id) = (None, String::new());
        let account = cx.account();
        let caller_arn =
            input.caller_arn.unwrap_or_else(|| format!("arn:aws:iam::{account}:user/simulation"));
        let limits = input.permissions_boundary_policy_input_list.unwrap_or_default();
        let limits =
            simulate::compiled(&limits, Kind::Boundary, "PermissionsBoundaryPolicyInputList")?;
        let resource =
            input.resource_policy.map(|text| parse(&text, Kind::Resource)).transpose()?;
        let owner = input.resource_owner.unwrap_or_default();
        let simulation = Simulation {
            principal: simulate::principal(&caller_arn, &unique_id),
            identity,
            boundary: limits.into_iter().next().or(boundary),
            resource,
            resource_account: owner.split(':').nth(4).unwrap_or(&owner).to_owned(),
            context: simulate::context(&input.context_entries.unwrap_or_default()),
        };
        let everything = || vec!["*".to_owned()];
        let results =
            simulation.run(&input.action_names, &input.resource_arns.unwrap_or_else(everything));
        let numbered = results.into_iter().zip(0_u32..);
        let order = |(_, number): &(_, u32)| format!("{number:010}");
        let found = page(numbered, order, input.marker.as_deref(), input.max_items)?;
        Ok(SimulatePolicyResponse {
            evaluation_results: Some(found.items.into_iter().map(|(result, _)| result).collect()),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
