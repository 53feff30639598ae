//! `GetTrail`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::GetTrail;
use haechi_cloudtrail_model::shapes::{GetTrailRequest, GetTrailResponse};
use haechi_core::{Cx, Handle};

use crate::CloudTrail;
use crate::name::TrailId;

impl Handle<GetTrail> for CloudTrail {
    async fn handle(&self, cx: &Cx, input: GetTrailRequest) -> Result<GetTrailResponse, Error> {
        let id = TrailId::parse(cx, &input.name)?;
        cx.authorize_on(&id.arn)?;
        let trail = self.trail(cx, &id).await?.value;
        trail.note(cx);
        Ok(GetTrailResponse { trail: Some(trail.shown()) })
    }
}
