//! `StopLogging`. What was logged until now is still delivered.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::StopLogging;
use haechi_cloudtrail_model::shapes::{StopLoggingRequest, StopLoggingResponse};
use haechi_core::{Batch, Cx, Handle};

use crate::CloudTrail;
use crate::name::TrailId;

impl Handle<StopLogging> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: StopLoggingRequest,
    ) -> Result<StopLoggingResponse, Error> {
        let id = TrailId::parse(cx, &input.name)?;
        cx.authorize_on(&id.arn)?;
        let loaded = self.home_trail(cx, &id).await?;
        let mut trail = loaded.value.clone();
        trail.stop(cx.now());
        let mut batch = Batch::new();
        batch.replace(&loaded, &trail);
        self.database.commit(batch).await?;
        Ok(StopLoggingResponse {})
    }
}
