//! `GetParametersByPath`.

use std::sync::Arc;

use haechi_core::database::Page;
use haechi_core::paging::Cursor;
use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::GetParametersByPath;
use haechi_ssm_model::shapes::{GetParametersByPathRequest, GetParametersByPathResult, Parameter};

use crate::authz::Wanted;
use crate::error::{invalid_token, version_not_found};
use crate::filters::{self, Filter};
use crate::read::place;
use crate::store::ParameterRecord;
use crate::{Ssm, name, public};

/// Parameters on a page, unless asked otherwise.
const LIMIT_DEFAULT: usize = 10;

/// Parameters that one call looks at, at most: filters may leave few of them.
const LOOKED_AT_MAX: u32 = 1000;

impl Handle<GetParametersByPath> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetParametersByPathRequest,
    ) -> Result<GetParametersByPathResult, Error> {
        let path = name::path(&input.path)?;
        let recursive = input.recursive == Some(true);
        let flags = [("ssm:recursive", recursive)];
        let arn = if public::is_public(&path) {
            public::arn(cx, &path)
        } else {
            cx.arn("ssm", &format!("parameter{}", input.path.trim()))
        };
        let mut wanted = Wanted::on(&arn, cx.account().as_str(), None);
        wanted.flags = &flags;
        wanted.allow(cx)?;
        let filters = filters::by_path(input.parameter_filters.as_deref())?;
        let limit = input.max_results.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        let token = input.next_token.as_deref().map(Cursor::decode);
        let token = token.map(|token| token.ok_or_else(invalid_token)).transpose()?;
        if public::is_public(&path) {
            let after = token.map(|token| String::from_utf8(token.0));
            let after = after.transpose().map_err(|_| invalid_token())?;
            let page = self.public.page(cx, &path, recursive, after.as_deref(), limit);
            let next_token = page.1.map(|name| Cursor(name.into_bytes()).encode());
            return Ok(GetParametersByPathResult { parameters: Some(page.0), next_token });
        }
        let prefix = if recursive { place(cx).under(&path) } else { place(cx).directly_in(&path) };
        let search = Search { filters: &filters, limit, looked_at_max: LOOKED_AT_MAX };
        let (records, next) = self.search(cx, &prefix, token, search).await?;
        let with_decryption = input.with_decryption == Some(true);
        let mut parameters = Vec::with_capacity(records.len());
        for record in &records {
            parameters.push(self.chosen(cx, record, &filters, with_decryption).await?);
        }
        let next_token = next.map(|cursor| cursor.encode());
        Ok(GetParametersByPathResult { parameters: Some(parameters), next_token })
    }
}

/// What to look for.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) filters: &'a [Filter],
    /// Parameters on a page.
    pub(crate) limit: usize,
    /// Parameters to look at, at most.
    pub(crate) looked_at_max: u32,
}

impl Ssm {
    /// A page of the parameters under a prefix that filters admit. It may have fewer, or none, and
    /// yet a next one: what one call looks at is bounded.
    pub(crate) async fn search(
        &self,
        cx: &Cx,
        prefix: &haechi_core::Path,
        from: Option<Cursor>,
        search: Search<'_>,
    ) -> Result<Page<ParameterRecord>, Error> {
        let (mut found, mut from, mut looked_at) = (Vec::new(), from, 0);
        loop {
            let wanted = u32::try_from(search.limit - found.len()).unwrap_or(u32::MAX);
            if search.filters.is_empty() {
                let all = place(cx).all();
                return Ok(self.database.listed(&all, prefix, from.as_ref(), wanted).await?);
            }
            // Filters leave out some: larger steps then, never beyond the page.
            let step = wanted.max(100);
            let page = self.database.list::<ParameterRecord>(prefix, from.as_ref(), step).await?;
            looked_at += step;
            let mut items = page.items.into_iter().peekable();
            while let Some(loaded) = items.next() {
                if !search.filters.iter().all(|filter| filter.admits(&loaded.value)) {
                    continue;
                }
                let key = loaded.cursor();
                found.push(Arc::new(loaded.value));
                if found.len() >= search.limit {
                    let more = items.peek().is_some() || page.next.is_some();
                    return Ok((found, more.then_some(key)));
                }
            }
            from = page.next;
            if from.is_none() || looked_at >= search.looked_at_max {
                return Ok((found, from));
            }
        }
    }

    /// The newest version, or the one whose label a filter asks for.
    async fn chosen(
        &self,
        cx: &Cx,
        record: &ParameterRecord,
        filters: &[Filter],
        with_decryption: bool,
    ) -> Result<Parameter, Error> {
        let account = cx.account().as_str();
        let number = filters.iter().find_map(|filter| filter.version(record));
        let number = number.unwrap_or(record.current.version);
        let version = self.version(place(cx), record, number).await?;
        let version =
            version.ok_or_else(|| version_not_found(&number.to_string(), &record.name))?;
        let arn = self.arn_of(cx, account, record);
        self.shown(cx, &arn, record, &version, with_decryption).await
    }
}
