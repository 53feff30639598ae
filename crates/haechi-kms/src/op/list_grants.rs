//! `ListGrants`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListGrants;
use haechi_kms_model::shapes::{ListGrantsRequest, ListGrantsResponse};

use crate::authz::{Facts, admit};
use crate::grant::{self, GrantRecord};
use crate::grants::grants_of;
use crate::{Kms, paging, request};

/// Grants on a page, unless asked otherwise, and at most.
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 100;

impl Handle<ListGrants> for Kms {
    async fn handle(&self, cx: &Cx, input: ListGrantsRequest) -> Result<ListGrantsResponse, Error> {
        if input.grantee_service_principal.is_some() {
            return Err(request::invalid(
                "GranteeServicePrincipal can be used by service principals only.",
            ));
        }
        let principal = &input.grantee_principal;
        let found = self.key_by_id(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        let record = &key.record;
        if let Some(id) = &input.grant_id {
            grant::check_id(id)?;
        }
        let wanted = |grant: &GrantRecord| {
            let grantee = &grant.grantee;
            input.grant_id.as_ref().is_none_or(|id| *id == grant.id)
                && principal.as_ref().is_none_or(|name| !grantee.service && *name == grantee.name)
        };
        if let Some(id) = &input.grant_id {
            let (account, region) = (&record.account, &record.region);
            let grant = self.grant(account, region, &record.id, id).await?;
            let grants = grant.map(|grant| grant.value).filter(wanted);
            return Ok(ListGrantsResponse {
                grants: Some(grants.iter().map(GrantRecord::entry).collect()),
                next_marker: None,
                truncated: Some(false),
            });
        }
        let prefix = grants_of(&record.account, &record.region, &record.id);
        let scope = paging::scope(cx, &record.id);
        let mut from = paging::cursor(&scope, input.marker.as_deref())?;
        let limit = paging::limit(input.limit, LIMIT_DEFAULT).min(LIMIT_MAX);
        let mut grants = Vec::new();
        loop {
            let missing = limit - u32::try_from(grants.len()).unwrap_or(limit);
            let page = self.database.list::<GrantRecord>(&prefix, from.as_ref(), missing).await?;
            let found = page.items.iter().map(|row| &row.value).filter(|grant| wanted(grant));
            grants.extend(found.map(GrantRecord::entry));
            from = page.next;
            if from.is_none() || grants.len() == usize::try_from(limit).unwrap_or(usize::MAX) {
                break;
            }
        }
        Ok(ListGrantsResponse {
            grants: Some(grants),
            truncated: Some(from.is_some()),
            next_marker: from.map(|cursor| paging::marker(&scope, &cursor)),
        })
    }
}
