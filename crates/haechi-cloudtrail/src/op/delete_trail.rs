//! `DeleteTrail`. What was delivered stays.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::DeleteTrail;
use haechi_cloudtrail_model::shapes::{DeleteTrailRequest, DeleteTrailResponse};
use haechi_core::{Batch, Cx, Handle};

use crate::CloudTrail;
use crate::name::TrailId;
use crate::store::{ChainRecord, chains_path};

impl Handle<DeleteTrail> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteTrailRequest,
    ) -> Result<DeleteTrailResponse, Error> {
        let id = TrailId::parse(cx, &input.name)?;
        cx.authorize_on(&id.arn)?;
        let trail = self.home_trail(cx, &id).await?;
        let mut batch = Batch::new();
        batch.remove(&trail);
        for chain in self.database.list_all::<ChainRecord>(&chains_path(&id.arn)).await? {
            batch.remove(&chain);
        }
        self.database.commit(batch).await?;
        Ok(DeleteTrailResponse {})
    }
}
