//! `GetEventSelectors`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::GetEventSelectors;
use haechi_cloudtrail_model::shapes::{GetEventSelectorsRequest, GetEventSelectorsResponse};
use haechi_core::{Cx, Handle};

use crate::CloudTrail;
use crate::name::TrailId;

impl Handle<GetEventSelectors> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetEventSelectorsRequest,
    ) -> Result<GetEventSelectorsResponse, Error> {
        let id = TrailId::parse(cx, &input.trail_name)?;
        cx.authorize_on(&id.arn)?;
        let trail = self.trail(cx, &id).await?.value;
        trail.note(cx);
        let (event_selectors, advanced_event_selectors) = trail.selectors.shown();
        Ok(GetEventSelectorsResponse {
            trail_arn: Some(trail.arn),
            event_selectors,
            advanced_event_selectors,
        })
    }
}
