//! `ListTrails`: those of all Regions, by their home.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::ListTrails;
use haechi_cloudtrail_model::shapes::{ListTrailsRequest, ListTrailsResponse, TrailInfo};
use haechi_core::{Cx, Handle};

use crate::CloudTrail;

impl Handle<ListTrails> for CloudTrail {
    async fn handle(&self, cx: &Cx, _: ListTrailsRequest) -> Result<ListTrailsResponse, Error> {
        cx.authorize_any()?;
        // A few per Region at most: one page.
        let trails = self.trails_seen(cx).await?.into_iter().map(|trail| TrailInfo {
            trail_arn: Some(trail.arn),
            name: Some(trail.name),
            home_region: Some(trail.home_region),
        });
        Ok(ListTrailsResponse { trails: Some(trails.collect()), next_token: None })
    }
}
