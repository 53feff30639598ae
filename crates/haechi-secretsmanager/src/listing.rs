//! Pages of secrets.
//!
//! In order of creation, which is the default, a page costs what it shows. The other orders are
//! made of the whole Region's secrets, and kept until one of them changes. With filters a call
//! looks at so many secrets at the most; a page may then be short, and have a `NextToken`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use haechi_core::paging::Cursor;
use haechi_core::{Cx, Path};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::shapes::{Filter, SortByType, SortOrderType};
use haechi_wire::Fault;

use crate::filters::pass;
use crate::secret::SecretRecord;
use crate::store::{KeyRow, Secret, backwards, newest_path, secret_path, secrets_path};
use crate::{SecretsManager, words};

/// Secrets that one call looks at.
const LOOKED_AT_MAX: usize = 2000;

/// What is listed, and how.
pub(crate) struct Listing<'a> {
    pub(crate) filters: &'a [Filter],
    /// Also those that wait for their deletion.
    pub(crate) deleted: bool,
    pub(crate) by: SortByType,
    pub(crate) order: SortOrderType,
    pub(crate) limit: usize,
    pub(crate) token: Option<&'a str>,
}

/// Secrets, and the token of the next page.
pub(crate) type Page = (Vec<Arc<Secret>>, Option<String>);

/// Reads a token: the key of the last secret that was looked at.
fn place(token: Option<&str>) -> Result<Option<String>, Error> {
    let Some(token) = token else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|key| String::from_utf8(key).ok());
    let known = |key: &String| {
        key.split_once('-').is_some_and(|(created, _)| u64::from_str_radix(created, 16).is_ok())
    };
    key.filter(known).map(Some).ok_or_else(words::token)
}

impl SecretsManager {
    /// A page of the caller's secrets.
    pub(crate) async fn page(&self, cx: &Cx, listing: &Listing<'_>) -> Result<Page, Error> {
        let mut last = place(listing.token)?;
        let (mut page, mut looked_at) = (Vec::new(), 0);
        loop {
            let keys = self.keys_after(cx, listing, last.as_deref(), listing.limit.max(20)).await?;
            let more = keys.len() >= listing.limit.max(20);
            for key in keys {
                if page.len() >= listing.limit || looked_at >= LOOKED_AT_MAX {
                    return Ok((page, last.map(|key| URL_SAFE_NO_PAD.encode(key))));
                }
                looked_at += 1;
                let (account, region) = (cx.account().as_str(), cx.region.as_str());
                let secret = self.ready(account, region, &key).await?;
                last = Some(key);
                let Some(secret) = secret else { continue };
                let wanted = listing.deleted || secret.record.deletion_ms.is_none();
                if wanted && pass(&secret.record, listing.filters) {
                    page.push(secret);
                }
            }
            if !more {
                return Ok((page, None));
            }
        }
    }

    /// The keys that come after one, in order.
    async fn keys_after(
        &self,
        cx: &Cx,
        listing: &Listing<'_>,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Fault> {
        let (account, region) = (cx.account().as_str(), cx.region.as_str());
        // A path without hidden parts stands in the store as it is.
        let cursor = |path: Path| Cursor(path.bytes(|_, _| [0; 16]));
        let rows = u32::try_from(limit).map_err(Fault::internal)?;
        match (listing.by, listing.order) {
            (SortByType::CreatedDate, SortOrderType::Asc) => {
                let from = last.map(|key| cursor(secret_path(account, region, key)));
                let path = secrets_path(account, region);
                let list = self.database.list::<SecretRecord>(&path, from.as_ref(), rows).await?;
                Ok(list.items.into_iter().map(|row| row.value.key).collect())
            }
            (SortByType::CreatedDate, SortOrderType::Desc) => {
                let path = newest_path(account, region);
                let from = last.map(|key| cursor(path.clone().part(&backwards(key))));
                let list = self.database.list::<KeyRow>(&path, from.as_ref(), rows).await?;
                Ok(list.items.into_iter().map(|row| row.value.key).collect())
            }
            (by, order) => {
                let sorted = self.sorted(account, region, by).await?;
                let mut keys: Box<dyn Iterator<Item = &String> + Send> = match order {
                    SortOrderType::Asc => Box::new(sorted.iter()),
                    SortOrderType::Desc => Box::new(sorted.iter().rev()),
                };
                if let Some(last) = last {
                    let _ = keys.by_ref().find(|key| *key == last);
                }
                Ok(keys.take(limit).cloned().collect())
            }
        }
    }

    /// All keys of a Region in another order.
    async fn sorted(
        &self,
        account: &str,
        region: &str,
        by: SortByType,
    ) -> Result<Arc<Vec<String>>, Fault> {
        let path = secrets_path(account, region);
        let build = async {
            let all = self.database.list_all::<SecretRecord>(&path).await?;
            let mut all: Vec<SecretRecord> = all.into_iter().map(|row| row.value).collect();
            match by {
                SortByType::Name => all.sort_by(|one, other| one.name.cmp(&other.name)),
                SortByType::LastAccessedDate => all.sort_by_key(|record| record.accessed_ms),
                SortByType::LastChangedDate => all.sort_by_key(|record| record.changed_ms),
                SortByType::CreatedDate => {}
            }
            Ok(Some(all.into_iter().map(|record| record.key).collect::<Vec<String>>()))
        };
        let scope = Path::new("secretsmanager").part(account);
        let id = format!("{region}/{}", by.as_str());
        Ok(self.database.derived(&scope, &id, build).await?.unwrap_or_default())
    }
}
