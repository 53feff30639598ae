//! `GetParameterHistory`.

use haechi_core::paging::Cursor;
use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::GetParameterHistory;
use haechi_ssm_model::shapes::{
    GetParameterHistoryRequest, GetParameterHistoryResult, ParameterHistory, ParameterType,
};
use haechi_wire::Timestamp;

use crate::Ssm;
use crate::error::{invalid_token, not_found};
use crate::name::Reference;
use crate::store::{ParameterRecord, Place, VersionRecord};
use crate::tier::Tier;

/// Versions on a page, unless asked otherwise.
const LIMIT_DEFAULT: i64 = 50;

impl Handle<GetParameterHistory> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetParameterHistoryRequest,
    ) -> Result<GetParameterHistoryResult, Error> {
        let reference = Reference::read(cx, &input.name)?;
        let found = self.allowed(cx, &reference).await?;
        let record = found.parameter.filter(|_| reference.selector.is_none());
        let record = record.ok_or_else(not_found)?;
        let first = match &input.next_token {
            None => record.oldest,
            Some(text) => from(text).ok_or_else(invalid_token)?.max(record.oldest),
        };
        let limit = input.max_results.map_or(LIMIT_DEFAULT, i64::from);
        let end = first.saturating_add(limit).min(record.current.version + 1);
        let place = Place { account: &found.account, region: cx.region.as_str() };
        let with_decryption = input.with_decryption == Some(true);
        let mut parameters = Vec::new();
        for number in first..end {
            // One that is missing went while this was read.
            let Some(version) = self.version(place, &record, number).await? else { continue };
            let value = self.value(cx, &found.arn, &version, with_decryption).await?;
            let mut shown = history(&record, &version);
            shown.value = Some(value);
            parameters.push(shown);
        }
        let next_token = (end <= record.current.version).then(|| token(end));
        Ok(GetParameterHistoryResult { parameters: Some(parameters), next_token })
    }
}

/// The token of the page that begins with a version.
fn token(version: i64) -> String {
    Cursor(version.to_be_bytes().to_vec()).encode()
}

fn from(token: &str) -> Option<i64> {
    let bytes: [u8; 8] = Cursor::decode(token)?.0.try_into().ok()?;
    Some(i64::from_be_bytes(bytes)).filter(|version| *version > 0)
}

fn history(record: &ParameterRecord, version: &VersionRecord) -> ParameterHistory {
    ParameterHistory {
        name: Some(record.name.clone()),
        r#type: ParameterType::parse(&version.kind),
        key_id: version.key_id.clone(),
        last_modified_date: Some(Timestamp::from_millis(version.modified_ms)),
        last_modified_user: Some(version.modified_by.clone()),
        description: version.description.clone(),
        value: None,
        allowed_pattern: version.allowed_pattern.clone(),
        version: Some(version.version),
        labels: Some(record.labels_of(version.version)),
        tier: Some(Tier::of(&version.tier).shown()),
        policies: Some(version.policies.iter().map(|policy| policy.shown()).collect()),
        data_type: Some(version.data_type.clone()),
    }
}
