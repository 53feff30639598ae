//! Lists instance profiles by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListInstanceProfiles;
use haechi_iam_model::shapes::{ListInstanceProfilesRequest, ListInstanceProfilesResponse};

use crate::authz::{Conditions, authorize};
use crate::listing::page;
use crate::store::{ProfileRecord, profiles_path};
use crate::{Iam, profile};

impl Handle<ListInstanceProfiles> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListInstanceProfilesRequest,
    ) -> Result<ListInstanceProfilesResponse, Error> {
        let account = cx.account();
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        authorize(cx, &profile::arn(account, prefix, ""), &Conditions::default())?;
        let rows = self.database.list_all::<ProfileRecord>(&profiles_path(account)).await?;
        let mut all: Vec<ProfileRecord> = rows.into_iter().map(|row| row.value).collect();
        all.retain(|profile| profile.path.starts_with(prefix));
        let order = |profile: &ProfileRecord| profile.name.to_lowercase();
        all.sort_by_cached_key(order);
        let found = page(all.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        let mut instance_profiles = Vec::with_capacity(found.items.len());
        for profile in &found.items {
            instance_profiles.push(self.shown_profile(cx, profile, false).await?);
        }
        Ok(ListInstanceProfilesResponse {
            instance_profiles,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
