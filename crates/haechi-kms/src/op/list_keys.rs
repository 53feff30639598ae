//! `ListKeys`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListKeys;
use haechi_kms_model::shapes::{
    KeyListEntry, ListKeysRequest, ListKeysResponse, ResourceOwnerType,
};

use crate::store::{KeyRecord, keys_path};
use crate::{Kms, paging, request};

/// Keys on a page, unless asked otherwise.
const LIMIT_DEFAULT: u32 = 100;

impl Handle<ListKeys> for Kms {
    async fn handle(&self, cx: &Cx, input: ListKeysRequest) -> Result<ListKeysResponse, Error> {
        let owners = input.resource_owners.unwrap_or_default();
        if owners.contains(&ResourceOwnerType::OtherAccountsViaRam) {
            return Err(request::unsupported(cx, "ResourceOwners=OTHER_ACCOUNTS_VIA_RAM"));
        }
        cx.authorize_any()?;
        let from = paging::cursor(input.marker.as_deref())?;
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
            next_marker: page.next.map(|cursor| cursor.encode()),
        })
    }
}
