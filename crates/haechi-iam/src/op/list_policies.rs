//! Lists managed policies: the account's, AWS's, or both.

use std::collections::HashMap;

use haechi_core::{Cx, Handle, Loaded};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListPolicies;
use haechi_iam_model::shapes::{
    ListPoliciesRequest, ListPoliciesResponse, Policy, PolicyScopeType, PolicyUsageType,
};
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::aws_managed;
use crate::listing::page;
use crate::managed::{self, Managed};
use crate::store::{PolicyRecord, UseRecord, account_scope, all_uses_path, policies_path};

impl Handle<ListPolicies> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListPoliciesRequest,
    ) -> Result<ListPoliciesResponse, Error> {
        let account = cx.account();
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        authorize(cx, &managed::arn(account, prefix, ""), &Conditions::default())?;
        let build = async { Ok(Some(self.every_policy(cx).await?)) };
        let all = self.database.derived(&account_scope(account), "policies", build).await?;
        let wanted = |policy: &&Policy| {
            let of_aws = policy.arn.as_deref().is_some_and(|arn| arn.starts_with(OF_AWS));
            let scope = match input.scope {
                None | Some(PolicyScopeType::All) => true,
                Some(PolicyScopeType::Aws) => of_aws,
                Some(PolicyScopeType::Local) => !of_aws,
            };
            let attached = policy.attachment_count > Some(0);
            let limiting = policy.permissions_boundary_usage_count > Some(0);
            let used = match input.policy_usage_filter {
                None => attached || limiting,
                Some(PolicyUsageType::PermissionsPolicy) => attached,
                Some(PolicyUsageType::PermissionsBoundary) => limiting,
            };
            // The filter limits what is attached, and by itself nothing.
            let only_used = input.only_attached == Some(true);
            scope
                && policy.path.as_deref().is_some_and(|path| path.starts_with(prefix))
                && (used || !only_used)
        };
        let listed = all.iter().flat_map(|all| all.iter()).filter(wanted);
        let found = page(listed, |policy| order(policy), input.marker.as_deref(), input.max_items)?;
        Ok(ListPoliciesResponse {
            policies: Some(found.items.into_iter().cloned().collect()),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}

/// How the ARNs of AWS's own policies begin.
const OF_AWS: &str = "arn:aws:iam::aws:";

/// AWS's own come first, the oldest before (LocalStack's `test_list_policies_scope_aws`); those of
/// the account by name.
fn order(policy: &Policy) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (name, arn) = (text(&policy.policy_name).to_lowercase(), text(&policy.arn));
    if !arn.starts_with(OF_AWS) {
        return format!("2 {name} {arn}");
    }
    let created_ms = policy.create_date.map_or(0, Timestamp::millis);
    format!("1 {created_ms:015} {name} {arn}")
}

impl Iam {
    /// Every managed policy that the account sees, with its numbers of uses.
    async fn every_policy(&self, cx: &Cx) -> Result<Vec<Policy>, Fault> {
        let account = cx.account();
        let mut uses: HashMap<String, Vec<UseRecord>> = HashMap::new();
        for row in self.database.list_all::<UseRecord>(&all_uses_path(account)).await? {
            uses.entry(row.value.policy_arn.clone()).or_default().push(row.value);
        }
        let of = |arn: &str| uses.get(arn).map(Vec::as_slice).unwrap_or_default();
        let own = self.database.list_all::<PolicyRecord>(&policies_path(account)).await?;
        let own = own.iter().map(|row: &Loaded<PolicyRecord>| {
            let arn = row.value.arn(account);
            let used = of(&arn);
            Managed::listed_record(&row.value, arn, used)
        });
        let aws = aws_managed::all()
            .iter()
            .map(|aws| Managed::Aws(aws).listed(aws.arn.clone(), of(&aws.arn)));
        let mut all: Vec<Policy> = own.chain(aws).collect();
        all.sort_by_cached_key(order);
        Ok(all)
    }
}
