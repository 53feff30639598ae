//! `ListKeyPolicies`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListKeyPolicies;
use haechi_kms_model::shapes::{ListKeyPoliciesRequest, ListKeyPoliciesResponse};

use crate::authz::{Facts, admit};
use crate::{Kms, paging, policy};

impl Handle<ListKeyPolicies> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListKeyPoliciesRequest,
    ) -> Result<ListKeyPoliciesResponse, Error> {
        let found = self.own_key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        // There is one policy: whatever the limit, it fits, and nothing comes after it.
        let names = [policy::NAME.to_owned()];
        let limit = paging::limit(input.limit, 1);
        let (scope, marker) = (paging::scope(cx, &key.record.id), input.marker.as_deref());
        let (page, next_marker) = paging::page(&scope, names.iter(), marker, limit)?;
        Ok(ListKeyPoliciesResponse {
            policy_names: Some(page.into_iter().cloned().collect()),
            truncated: Some(next_marker.is_some()),
            next_marker,
        })
    }
}
