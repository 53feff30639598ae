//! `StartLogging`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::StartLogging;
use haechi_cloudtrail_model::shapes::{StartLoggingRequest, StartLoggingResponse};
use haechi_core::{Batch, Cx, Handle};

use crate::CloudTrail;
use crate::name::TrailId;

impl Handle<StartLogging> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: StartLoggingRequest,
    ) -> Result<StartLoggingResponse, Error> {
        let id = TrailId::parse(cx, &input.name)?;
        cx.authorize_on(&id.arn)?;
        let loaded = self.home_trail(cx, &id).await?;
        let mut trail = loaded.value.clone();
        trail.start(cx.now());
        let mut batch = Batch::new();
        batch.replace(&loaded, &trail);
        self.schedule_delivery(cx.now(), &mut batch).await?;
        self.database.commit(batch).await?;
        self.wake();
        Ok(StartLoggingResponse {})
    }
}
