//! Lists the tags of an MFA device, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListMFADeviceTags;
use haechi_iam_model::shapes::{ListMFADeviceTagsRequest, ListMFADeviceTagsResponse};

use crate::Iam;
use crate::store::MfaRecord;

impl Handle<ListMFADeviceTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListMFADeviceTagsRequest,
    ) -> Result<ListMFADeviceTagsResponse, Error> {
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let arn = &input.serial_number;
        let found = self.tags_by_arn::<MfaRecord>(cx, arn, marker, items_max).await?;
        Ok(ListMFADeviceTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
