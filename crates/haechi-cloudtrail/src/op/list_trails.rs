//! `ListTrails`: those of all Regions, by their home.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::ListTrails;
use haechi_cloudtrail_model::shapes::{ListTrailsRequest, ListTrailsResponse, TrailInfo};
use haechi_core::{Cx, Handle};

use crate::CloudTrail;
use crate::store::account_path;
use crate::trail::TrailRecord;

impl Handle<ListTrails> for CloudTrail {
    async fn handle(&self, cx: &Cx, _: ListTrailsRequest) -> Result<ListTrailsResponse, Error> {
        cx.authorize_any()?;
        // A few per Region at most: one page.
        let rows =
            self.database.list_all::<TrailRecord>(&account_path(cx.account().as_str())).await?;
        let trails = rows.into_iter().map(|row| TrailInfo {
            trail_arn: Some(row.value.arn),
            name: Some(row.value.name),
            home_region: Some(row.value.home_region),
        });
        Ok(ListTrailsResponse { trails: Some(trails.collect()), next_token: None })
    }
}
