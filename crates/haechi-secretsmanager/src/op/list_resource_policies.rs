//! `ListResourcePolicies`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::ListResourcePolicies;
use haechi_secretsmanager_model::shapes::{
    ListResourcePoliciesRequest, ListResourcePoliciesResponse, ResourcePolicySummary,
};
use haechi_wire::Fault;

use crate::authz::{Facts, admit};
use crate::{SecretsManager, cross_account, policy, words};

/// Policies of a page, if the request does not say.
const LIMIT: i32 = 100;

impl Handle<ListResourcePolicies> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListResourcePoliciesRequest,
    ) -> Result<ListResourcePoliciesResponse, Error> {
        let found = self.secret(cx, &input.secret_id).await?;
        let (secret, _) = admit(cx, found, Facts::default())?;
        let record = &secret.record;
        let own = record.policy.as_ref().map(|_| policy::NAME);
        let managed = record.cross_primary.as_ref().map(|_| cross_account::POLICY);
        let names: Vec<&str> = own.into_iter().chain(managed).collect();
        // The token is the name of the last policy shown.
        let start = match &input.next_token {
            None => 0,
            Some(token) => {
                let last = names.iter().position(|name| name == token);
                last.ok_or_else(words::token)? + 1
            }
        };
        let limit = usize::try_from(input.max_results.unwrap_or(LIMIT)).map_err(Fault::internal)?;
        let page: Vec<&str> = names.iter().copied().skip(start).take(limit).collect();
        let more = names.len() > start + page.len();
        let next_token = page.last().filter(|_| more).map(|name| (*name).to_owned());
        let summary = |name: &str| ResourcePolicySummary { policy_name: Some(name.to_owned()) };
        let resource_policies = page.into_iter().map(summary).collect();
        Ok(ListResourcePoliciesResponse { resource_policies, next_token })
    }
}
