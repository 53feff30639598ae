//! Lists the keys of a user, or of the caller itself.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListAccessKeys;
use haechi_iam_model::shapes::{
    AccessKeyMetadata, ListAccessKeysRequest, ListAccessKeysResponse, StatusType,
};

use crate::Iam;
use crate::listing::page;

impl Handle<ListAccessKeys> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAccessKeysRequest,
    ) -> Result<ListAccessKeysResponse, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        let mut ids = owner.key_ids().to_vec();
        ids.sort_unstable();
        let marker = input.marker.as_deref();
        let found = page(ids.into_iter(), String::clone, marker, input.max_items)?;
        let mut keys = Vec::with_capacity(found.items.len());
        for id in &found.items {
            let key = self.key_of(cx, &owner, id).await?.value;
            let status = if key.active { StatusType::Active } else { StatusType::Inactive };
            keys.push(AccessKeyMetadata {
                user_name: Some(owner.name().to_owned()),
                create_date: Some(key.created()),
                access_key_id: Some(key.id),
                status: Some(status),
            });
        }
        Ok(ListAccessKeysResponse {
            access_key_metadata: keys,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
