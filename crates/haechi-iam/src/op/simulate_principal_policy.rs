//! Tells what the policies of a user, group or role would decide, with others that the request brings.

use std::sync::Arc;

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::SimulatePrincipalPolicy;
use haechi_iam_model::shapes::{SimulatePolicyResponse, SimulatePrincipalPolicyRequest};
use haechi_policy::{Document, Kind};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::entity::{Entity, EntityKind};
use crate::identities::{boundary, entity_policies, user_caller};
use crate::listing::page;
use crate::policy::parse;
use crate::simulate::{self, Simulation};
use crate::store::{GroupRecord, RoleRecord, UserRecord};

impl Handle<SimulatePrincipalPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: SimulatePrincipalPolicyRequest,
    ) -> Result<SimulatePolicyResponse, Error> {
        let source = input.policy_source_arn;
        authorize(cx, &source, &Conditions::default())?;
        if input.policy_exclusion_list.is_some() {
            return Err(cx.unsupported().into());
        }
        let found = self.source(cx, &source).await?;
        let (mut identity, boundary, unique_id) = found;
        let added = input.policy_input_list.unwrap_or_default();
        identity.extend(simulate::compiled(&added, Kind::Identity, "PolicyInputList")?);
        let caller_arn = input.caller_arn.unwrap_or(source);
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

/// Policies, permissions boundary and unique id of a simulation's source.
type Source = (Vec<Arc<Document>>, Option<Arc<Document>>, String);

impl Iam {
    async fn source(&self, cx: &Cx, arn: &str) -> Result<Source, Error> {
        let (account, database) = (cx.account(), &self.database);
        let name = arn.rsplit('/').next().unwrap_or_default();
        let of = |kind: EntityKind| arn.starts_with(&kind.arn(account, "/", ""));
        if of(EntityKind::User) {
            let user = database.load::<UserRecord>(&UserRecord::place(account, name)).await?;
            let user = user.ok_or_else(|| EntityKind::User.not_found(name))?.value;
            let id = user.id.clone();
            let policies = user_caller(database, account, "", user).await?.policies;
            return Ok((policies.identity, policies.boundary, id));
        }
        if of(EntityKind::Group) {
            let group = database.load::<GroupRecord>(&GroupRecord::place(account, name)).await?;
            let group = group.ok_or_else(|| EntityKind::Group.not_found(name))?.value;
            return Ok((entity_policies(database, account, &group).await?, None, group.id));
        }
        let role = database.load::<RoleRecord>(&RoleRecord::place(account, name)).await?;
        let role = role.filter(|_| of(EntityKind::Role));
        let role = role.ok_or_else(|| EntityKind::Role.not_found(name))?.value;
        let limit = boundary(database, account, &role).await?;
        Ok((entity_policies(database, account, &role).await?, limit, role.id))
    }
}
