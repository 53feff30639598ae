//! Lists the instance profiles that hold a role, by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListInstanceProfilesForRole;
use haechi_iam_model::shapes::{
    ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse,
};

use crate::Iam;
use crate::listing::page;
use crate::store::{ProfileRecord, RoleRecord, profile_path};

impl Handle<ListInstanceProfilesForRole> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListInstanceProfilesForRoleRequest,
    ) -> Result<ListInstanceProfilesForRoleResponse, Error> {
        let mut names = self.entity::<RoleRecord>(cx, &input.role_name).await?.value.profiles;
        names.sort_by_cached_key(|name| name.to_lowercase());
        let order = |name: &String| name.to_lowercase();
        let found = page(names.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        let mut instance_profiles = Vec::with_capacity(found.items.len());
        for name in &found.items {
            let place = profile_path(cx.account(), name);
            if let Some(profile) = self.database.load::<ProfileRecord>(&place).await? {
                instance_profiles.push(self.shown_profile(cx, &profile.value, false).await?);
            }
        }
        Ok(ListInstanceProfilesForRoleResponse {
            instance_profiles,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
