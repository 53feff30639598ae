//! `DescribeCustomKeyStores`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DescribeCustomKeyStores;
use haechi_kms_model::shapes::{DescribeCustomKeyStoresRequest, DescribeCustomKeyStoresResponse};

use crate::custom_key_store::{CustomKeyStore, not_found};
use crate::{Kms, authz, paging, request};

/// Stores on a page, unless asked otherwise: all that there can be.
const LIMIT_DEFAULT: u32 = 1000;

impl Handle<DescribeCustomKeyStores> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeCustomKeyStoresRequest,
    ) -> Result<DescribeCustomKeyStoresResponse, Error> {
        authz::authorize_any(cx)?;
        let stores = self.stores(cx.account().as_str(), cx.region.as_str()).await?;
        let found = match (&input.custom_key_store_id, &input.custom_key_store_name) {
            (Some(_), Some(_)) => {
                return Err(request::invalid(
                    "Specify either CustomKeyStoreId or CustomKeyStoreName, but not both.",
                ));
            }
            (Some(id), None) => vec![stores.find(id).ok_or_else(|| not_found(id))?],
            (None, Some(name)) => {
                let named = stores.stores.iter().find(|store| store.name == *name);
                vec![named.ok_or_else(|| not_found(name))?]
            }
            (None, None) => stores.stores.iter().collect(),
        };
        let limit = paging::limit(input.limit, LIMIT_DEFAULT);
        let marker = input.marker.as_deref();
        let scope = paging::scope(cx, "");
        let (page, next_marker) =
            paging::page_after(&scope, found.iter().copied(), |store| &store.id, marker, limit)?;
        Ok(DescribeCustomKeyStoresResponse {
            custom_key_stores: Some(page.into_iter().map(CustomKeyStore::entry).collect()),
            truncated: Some(next_marker.is_some()),
            next_marker,
        })
    }
}
