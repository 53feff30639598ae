//! `ListKeys`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListKeys;
use haechi_kms_model::shapes::{
    KeyListEntry, ListKeysRequest, ListKeysResponse, ResourceOwnerType,
};

use crate::store::{KeyRecord, keys_path};
use crate::{Kms, authz, paging};

/// Keys on a page, unless asked otherwise.
const LIMIT_DEFAULT: u32 = 100;

impl Handle<ListKeys> for Kms {
    async fn handle(&self, cx: &Cx, input: ListKeysRequest) -> Result<ListKeysResponse, Error> {
        authz::authorize_any(cx)?;
        let scope = paging::scope(cx, "");
        let from = paging::cursor(&scope, input.marker.as_deref())?;
        let owners = input.resource_owners;
        if owners.is_some_and(|owners| !owners.contains(&ResourceOwnerType::Self_)) {
            // Resource Access Manager is not here, so no account shares keys through it.
            return Ok(ListKeysResponse {
                keys: Some(Vec::new()),
                truncated: Some(false),
                next_marker: None,
            });
        }
        let limit = paging::limit(input.limit, LIMIT_DEFAULT);
        let prefix = keys_path(cx.account().as_str(), cx.region.as_str());
        let page = self.database.list::<KeyRecord>(&prefix, from.as_ref(), limit).await?;
        let entry = |row: haechi_core::Loaded<KeyRecord>| KeyListEntry {
            key_id: Some(row.value.id),
            key_arn: Some(row.value.arn),
        };
        Ok(ListKeysResponse {
            keys: Some(page.items.into_iter().map(entry).collect()),
            truncated: Some(page.next.is_some()),
            next_marker: page.next.map(|cursor| paging::marker(&scope, &cursor)),
        })
    }
}
