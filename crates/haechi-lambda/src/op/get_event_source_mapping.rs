//! `GetEventSourceMapping`.

use haechi_core::{Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetEventSourceMapping;
use haechi_lambda_model::shapes::{EventSourceMappingConfiguration, GetEventSourceMappingRequest};

use crate::Lambda;
use crate::mapping::{Phase, no_mapping, show};

impl Handle<GetEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetEventSourceMappingRequest,
    ) -> Result<EventSourceMappingConfiguration, Error> {
        let found = self.mapping_of(cx, &input.uuid, Facts::default()).await?;
        Ok(show(found.ok_or_else(no_mapping)?.value, Phase::Done))
    }
}
