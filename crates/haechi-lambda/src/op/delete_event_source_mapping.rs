//! `DeleteEventSourceMapping`: who polls for it stops when he next looks.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteEventSourceMapping;
use haechi_lambda_model::shapes::{
    DeleteEventSourceMappingRequest, EventSourceMappingConfiguration,
};

use crate::Lambda;
use crate::mapping::{Phase, no_mapping, show};

impl Handle<DeleteEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteEventSourceMappingRequest,
    ) -> Result<EventSourceMappingConfiguration, Error> {
        let found = self.mapping_of(cx, &input.uuid, Facts::default()).await?;
        let found = found.ok_or_else(no_mapping)?;
        let mut batch = Batch::new();
        batch.remove(&found);
        self.database.commit(batch).await?;
        Ok(show(found.value, Phase::Deleting))
    }
}
