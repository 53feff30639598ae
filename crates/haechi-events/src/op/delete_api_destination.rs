//! `DeleteApiDestination`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DeleteApiDestination;
use haechi_events_model::shapes::{DeleteApiDestinationRequest, DeleteApiDestinationResponse};

use crate::Events;

impl Handle<DeleteApiDestination> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteApiDestinationRequest,
    ) -> Result<DeleteApiDestinationResponse, Error> {
        let found = self.api_destination(cx, &input.name).await?;
        let mut batch = Batch::new();
        batch.remove(&found);
        self.database.commit(batch).await?;
        Ok(DeleteApiDestinationResponse {})
    }
}
