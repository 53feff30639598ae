//! `ListAliases`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListAliases;
use haechi_kms_model::shapes::{AliasListEntry, ListAliasesRequest, ListAliasesResponse};
use haechi_wire::Timestamp;

use crate::identifier::arn;
use crate::store::{AliasRecord, Key, alias_path, aliases_path};
use crate::{Kms, authz, paging};

/// Aliases on a page, unless asked otherwise, and at most.
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 100;

impl Handle<ListAliases> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAliasesRequest,
    ) -> Result<ListAliasesResponse, Error> {
        let permit = authz::authorize_any(cx)?;
        let limit = paging::limit(input.limit, LIMIT_DEFAULT).min(LIMIT_MAX);
        let marker = input.marker.as_deref();
        let (aliases, next_marker) = match &input.key_id {
            Some(key_id) => {
                let key = self.own_key(cx, key_id).await?.covered(&permit).key;
                self.aliases_of(cx, &key, marker, limit).await?
            }
            None => self.aliases(cx, marker, limit).await?,
        };
        let truncated = Some(next_marker.is_some());
        Ok(ListAliasesResponse { aliases: Some(aliases), next_marker, truncated })
    }
}

/// Entries, and the marker of the next page.
type Page = (Vec<AliasListEntry>, Option<String>);

impl Kms {
    /// A page of the aliases of the account: first those that have a key, then those of AWS's
    /// services that have none yet.
    async fn aliases(&self, cx: &Cx, marker: Option<&str>, limit: u32) -> Result<Page, Error> {
        let (having, waiting) = (paging::scope(cx, "having"), paging::scope(cx, "waiting"));
        let mut aliases = Vec::new();
        let mut after = marker.filter(|text| paging::is_of(&waiting, text));
        if after.is_none() {
            let from = paging::cursor(&having, marker)?;
            let prefix = aliases_path(cx.account().as_str(), cx.region.as_str());
            let page = self.database.list::<AliasRecord>(&prefix, from.as_ref(), limit).await?;
            aliases.extend(page.items.iter().map(|row| entry(cx, &row.value)));
            if let Some(cursor) = page.next {
                return Ok((aliases, Some(paging::marker(&having, &cursor))));
            }
        }
        let start = paging::start(&waiting);
        let after = after.get_or_insert(&start);
        let names = self.unused_managed_aliases(cx).await?;
        let room = limit.saturating_sub(u32::try_from(aliases.len()).unwrap_or(limit));
        if room == 0 && !names.is_empty() {
            return Ok((aliases, Some((*after).to_owned())));
        }
        let (page, next) = paging::page(&waiting, names.iter(), Some(after), room)?;
        aliases.extend(page.into_iter().map(|name| AliasListEntry {
            alias_name: Some(name.clone()),
            alias_arn: Some(arn(cx, cx.account().as_str(), name)),
            ..AliasListEntry::default()
        }));
        Ok((aliases, next))
    }

    /// A page of the aliases of one key.
    async fn aliases_of(
        &self,
        cx: &Cx,
        key: &Key,
        marker: Option<&str>,
        limit: u32,
    ) -> Result<Page, Error> {
        let scope = paging::scope(cx, &key.record.id);
        let (page, next) = paging::page(&scope, key.record.aliases.iter(), marker, limit)?;
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
