//! `ListEventSourceMappings`.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListEventSourceMappings;
use haechi_lambda_model::shapes::{
    ListEventSourceMappingsRequest, ListEventSourceMappingsResponse,
};

use crate::Lambda;
use crate::mapping::{Phase, show};
use crate::paging::page;
use crate::reference::Reference;
use crate::store::{MappingRecord, Place};

impl Handle<ListEventSourceMappings> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListEventSourceMappingsRequest,
    ) -> Result<ListEventSourceMappingsResponse, Error> {
        cx.authorize_any()?;
        let place = Place { account: cx.account().to_string(), region: cx.region.to_string() };
        let found = self.database.list_all::<MappingRecord>(&place.mappings()).await?;
        let function = match &input.function_name {
            Some(name) => Some(Reference::of(cx, name, None)?.arn()),
            None => None,
        };
        let wanted = |one: &MappingRecord| {
            function.as_ref().is_none_or(|arn| one.function_arn == *arn)
                && input.event_source_arn.as_ref().is_none_or(|arn| one.queue_arn == *arn)
        };
        let mut mappings: Vec<MappingRecord> =
            found.into_iter().map(|one| one.value).filter(wanted).collect();
        mappings.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let name = |one: &MappingRecord| one.id.clone();
        let (mappings, next_marker) =
            page(mappings, name, input.max_items, input.marker.as_deref());
        let shown = mappings.into_iter().map(|one| show(one, Phase::Done)).collect();
        Ok(ListEventSourceMappingsResponse { event_source_mappings: Some(shown), next_marker })
    }
}
