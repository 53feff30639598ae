//! What the management policies of a type on an account's line come to. An account may ask about itself.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribeEffectivePolicy;
use haechi_organizations_model::shapes::{
    DescribeEffectivePolicyRequest, DescribeEffectivePolicyResponse, EffectivePolicy,
};
use haechi_wire::{Fault, Timestamp};
use serde_json::Value;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::effective::effective;
use crate::error::{no_effective_policy, no_target};
use crate::organization::Organization;
use crate::policy;

impl Handle<DescribeEffectivePolicy> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeEffectivePolicyRequest,
    ) -> Result<DescribeEffectivePolicyResponse, Error> {
        let (kind, own) = (input.policy_type.as_str(), cx.account().as_str());
        let target = input.target_id.as_deref().unwrap_or(own);
        let reach = if target == own { Reach::Everyone } else { Reach::Readers };
        let about = |it: &Organization| About::of(it, &[target]).policy_type(kind);
        let organization = self.admit(cx, reach, about).await?;
        organization.account(target).ok_or_else(no_target)?;
        policy::rules(kind)
            .ok_or_else(|| cx.unsupported_parameter(&format!("PolicyType={kind}")))?;
        let mut updated_ms = 0;
        let mut levels = Vec::new();
        for on in organization.line(target) {
            let mut level = Vec::new();
            for id in organization.attached(on, kind) {
                let policy = organization.policy(id).ok_or_else(no_effective_policy)?;
                updated_ms = updated_ms.max(policy.updated_ms);
                let json: Value = serde_json::from_str(&policy.content).map_err(Fault::internal)?;
                level.push(json);
            }
            levels.push(level);
        }
        let found = effective(&levels).ok_or_else(no_effective_policy)?;
        let effective_policy = Some(EffectivePolicy {
            policy_content: Some(found.to_string()),
            last_updated_timestamp: Some(Timestamp::from_millis(updated_ms)),
            target_id: Some(target.to_owned()),
            policy_type: Some(input.policy_type),
        });
        Ok(DescribeEffectivePolicyResponse { effective_policy })
    }
}
