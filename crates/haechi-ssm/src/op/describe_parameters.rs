//! `DescribeParameters`.

use haechi_core::paging::Cursor;
use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::DescribeParameters;
use haechi_ssm_model::shapes::{
    DescribeParametersRequest, DescribeParametersResult, ParameterMetadata, ParameterType,
};
use haechi_wire::Timestamp;

use super::get_parameters_by_path::Search;
use crate::Ssm;
use crate::authz::Wanted;
use crate::error::invalid_token;
use crate::filters::{self, Filter, Reach};
use crate::name::Name;
use crate::read::place;
use crate::store::ParameterRecord;
use crate::tier::Tier;

/// Parameters on a page, unless asked otherwise.
const LIMIT_DEFAULT: usize = 10;

/// Parameters that one call looks at, at most: filters may leave few of them.
const LOOKED_AT_MAX: u32 = 1000;

impl Handle<DescribeParameters> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeParametersRequest,
    ) -> Result<DescribeParametersResult, Error> {
        Wanted::on(&cx.arn("ssm", "*"), cx.account().as_str(), None).allow(cx)?;
        if input.shared == Some(true) {
            // What others share is listed once Resource Access Manager is there.
            return Err(cx.unsupported_parameter("Shared").into());
        }
        let filters =
            filters::describing(input.parameter_filters.as_deref(), input.filters.as_deref())?;
        let limit = input.max_results.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        let token = input.next_token.as_deref().map(Cursor::decode);
        let token = token.map(|token| token.ok_or_else(invalid_token)).transpose()?;
        let search = Search { filters: &filters, limit, looked_at_max: LOOKED_AT_MAX };
        let (records, next) = match filters::reach(&filters) {
            Reach::Names(names) => self.named(cx, &names, token, search).await?,
            Reach::Under(path) => self.search(&place(cx).under(&path), token, search).await?,
            Reach::In(path) => self.search(&place(cx).directly_in(&path), token, search).await?,
        };
        let parameters = records.iter().map(|record| self.metadata(cx, record)).collect();
        let next_token = next.map(|cursor| cursor.encode());
        Ok(DescribeParametersResult { parameters: Some(parameters), next_token })
    }
}

impl Ssm {
    /// A page of parameters that are named; the token is how many names are done.
    async fn named(
        &self,
        cx: &Cx,
        names: &[Name],
        token: Option<Cursor>,
        search: Search<'_>,
    ) -> Result<(Vec<ParameterRecord>, Option<Cursor>), Error> {
        let done = match token {
            None => 0,
            Some(Cursor(bytes)) => match bytes.as_slice() {
                [done] => usize::from(*done),
                _ => return Err(invalid_token()),
            },
        };
        let mut found = Vec::new();
        for (at, name) in names.iter().enumerate().skip(done) {
            if found.len() >= search.limit {
                let done = u8::try_from(at).map_err(|_| invalid_token())?;
                return Ok((found, Some(Cursor(vec![done]))));
            }
            let Some(record) = self.find(place(cx), name).await? else { continue };
            if search.filters.iter().all(|filter: &Filter| filter.admits(&record)) {
                found.push((*record).clone());
            }
        }
        Ok((found, None))
    }

    fn metadata(&self, cx: &Cx, record: &ParameterRecord) -> ParameterMetadata {
        let current = &record.current;
        ParameterMetadata {
            name: Some(record.name.clone()),
            arn: Some(self.arn_of(cx, cx.account().as_str(), record)),
            r#type: ParameterType::parse(&current.kind),
            key_id: current.key_id.clone(),
            last_modified_date: Some(Timestamp::from_millis(current.modified_ms)),
            last_modified_user: Some(current.modified_by.clone()),
            description: current.description.clone(),
            allowed_pattern: current.allowed_pattern.clone(),
            version: Some(current.version),
            tier: Some(Tier::of(&current.tier).shown()),
            policies: Some(current.policies.iter().map(|policy| policy.shown()).collect()),
            data_type: Some(current.data_type.clone()),
        }
    }
}
