//! `DescribeTrails`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::DescribeTrails;
use haechi_cloudtrail_model::shapes::{DescribeTrailsRequest, DescribeTrailsResponse};
use haechi_core::{Cx, Handle};

use crate::CloudTrail;
use crate::name::TrailId;
use crate::trail::TrailRecord;

impl Handle<DescribeTrails> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeTrailsRequest,
    ) -> Result<DescribeTrailsResponse, Error> {
        cx.authorize_any()?;
        let shadows = input.include_shadow_trails.unwrap_or(true);
        let mut trails = self.trails_here(cx, shadows).await?;
        let names = input.trail_name_list.unwrap_or_default();
        if !names.is_empty() {
            // Unknown names are passed over; names that cannot be are not.
            let ids = names.iter().map(|name| TrailId::parse(cx, name));
            let ids = ids.collect::<Result<Vec<_>, _>>()?;
            let arns: Vec<&str> = ids.iter().map(|id| id.arn.as_str()).collect();
            trails.retain(|trail| arns.contains(&trail.arn.as_str()));
        }
        let trail_list = trails.iter().map(TrailRecord::shown).collect();
        Ok(DescribeTrailsResponse { trail_list: Some(trail_list) })
    }
}
