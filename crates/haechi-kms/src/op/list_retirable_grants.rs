//! `ListRetirableGrants`.

use haechi_core::{Ask, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListRetirableGrants;
use haechi_kms_model::shapes::{ListGrantsResponse, ListRetirableGrantsRequest};
use haechi_policy::ResourceRule;
use haechi_wire::Fault;

use crate::authz::{Conditions, Facts};
use crate::grant;
use crate::grants::{RetirableGrant, retirable_by};
use crate::{Kms, paging, request};

/// Grants on a page, unless asked otherwise, and at most.
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 100;

impl Handle<ListRetirableGrants> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListRetirableGrantsRequest,
    ) -> Result<ListGrantsResponse, Error> {
        let principal = match (input.retiring_principal, input.retiring_service_principal) {
            (Some(principal), None) => principal,
            (None, Some(_)) => {
                return Err(request::invalid(
                    "RetiringServicePrincipal can be used by service principals only.",
                ));
            }
            _ => {
                return Err(request::invalid(
                    "You must specify either RetiringPrincipal or RetiringServicePrincipal.",
                ));
            }
        };
        grant::check_principal(&principal)?;
        authorize(cx, &principal)?;
        let scope = paging::scope(cx, &principal);
        let from = paging::cursor(&scope, input.marker.as_deref())?;
        let limit = paging::limit(input.limit, LIMIT_DEFAULT).min(LIMIT_MAX);
        let prefix = retirable_by(&principal, cx.region.as_str());
        let page = self.database.list::<RetirableGrant>(&prefix, from.as_ref(), limit).await?;
        let mut grants = Vec::with_capacity(page.items.len());
        for row in &page.items {
            let place = &row.value;
            let (account, region) = (&place.account, &place.region);
            let grant = self.grant(account, region, &place.key_id, &place.grant_id).await?;
            grants.extend(grant.map(|grant| grant.value.entry()));
        }
        Ok(ListGrantsResponse {
            grants: Some(grants),
            truncated: Some(page.next.is_some()),
            next_marker: page.next.map(|cursor| paging::marker(&scope, &cursor)),
        })
    }
}

/// Decides by IAM; the resource is the principal, which is one of the caller's account.
fn authorize(cx: &Cx, principal: &str) -> Result<(), Fault> {
    let caller_account = cx.account().as_str();
    cx.authorize(&Ask {
        action: cx.operation.action,
        resource: principal,
        resource_account: principal.split(':').nth(4).unwrap_or(caller_account),
        policy: None,
        rule: ResourceRule::Union,
        context: &Conditions::of(cx, Facts::default()),
    })?;
    Ok(())
}
