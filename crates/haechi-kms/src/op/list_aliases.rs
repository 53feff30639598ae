//! `ListAliases`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListAliases;
use haechi_kms_model::shapes::{AliasListEntry, ListAliasesRequest, ListAliasesResponse};
use haechi_wire::Timestamp;

use crate::identifier::arn;
use crate::store::{AliasRecord, Key, alias_path, aliases_path};
use crate::{Kms, paging};

/// Aliases on a page, unless asked otherwise.
const LIMIT_DEFAULT: u32 = 50;

impl Handle<ListAliases> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAliasesRequest,
    ) -> Result<ListAliasesResponse, Error> {
        let permit = cx.authorize_any()?;
        let limit = paging::limit(input.limit, LIMIT_DEFAULT);
        let marker = input.marker.as_deref();
        let (aliases, next_marker) = match &input.key_id {
            Some(key_id) => {
                let key = self.own_key(cx, key_id).await?.covered(&permit).key;
                self.aliases_of(cx, &key, marker, limit).await?
            }
            None => {
                let from = paging::cursor(marker)?;
                let prefix = aliases_path(cx.account().as_str(), cx.region.as_str());
                let page = self.database.list::<AliasRecord>(&prefix, from.as_ref(), limit).await?;
                let aliases = page.items.iter().map(|row| entry(cx, &row.value)).collect();
                (aliases, page.next.map(|cursor| cursor.encode()))
            }
        };
        let truncated = Some(next_marker.is_some());
        Ok(ListAliasesResponse { aliases: Some(aliases), next_marker, truncated })
    }
}

impl Kms {
    /// A page of the aliases of one key.
    async fn aliases_of(
        &self,
        cx: &Cx,
        key: &Key,
        marker: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<AliasListEntry>, Option<String>), Error> {
        let (page, next) = paging::page(key.record.aliases.iter(), marker, limit)?;
        let mut aliases = Vec::with_capacity(page.len());
        for name in page {
            let path = alias_path(cx.account().as_str(), cx.region.as_str(), name);
            let row = self.database.load::<AliasRecord>(&path).await?;
            aliases.extend(row.map(|row| entry(cx, &row.value)));
        }
        Ok((aliases, next))
    }
}

fn entry(cx: &Cx, row: &AliasRecord) -> AliasListEntry {
    AliasListEntry {
        alias_name: Some(row.name.clone()),
        alias_arn: Some(arn(cx, cx.account().as_str(), &row.name)),
        target_key_id: Some(row.key_id.clone()),
        creation_date: Some(Timestamp::from_millis(row.created_ms)),
        last_updated_date: Some(Timestamp::from_millis(row.updated_ms)),
    }
}
