//! Lists the versions of a managed policy, the newest first.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListPolicyVersions;
use haechi_iam_model::shapes::{
    ListPolicyVersionsRequest, ListPolicyVersionsResponse, PolicyVersion,
};

use crate::Iam;
use crate::listing::page;
use crate::managed::version_number;

impl Handle<ListPolicyVersions> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListPolicyVersionsRequest,
    ) -> Result<ListPolicyVersionsResponse, Error> {
        let versions = self.managed(cx, &input.policy_arn).await?.versions();
        let order = |version: &PolicyVersion| {
            let number = version.version_id.as_deref().and_then(version_number);
            format!("{:010}", u32::MAX - number.unwrap_or(0))
        };
        let found = page(versions.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        Ok(ListPolicyVersionsResponse {
            versions: Some(found.items),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
