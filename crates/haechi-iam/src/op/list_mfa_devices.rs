//! Lists the devices of a user, or of the caller itself, in the order in which they were enabled.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListMFADevices;
use haechi_iam_model::shapes::{ListMFADevicesRequest, ListMFADevicesResponse, MFADevice};

use crate::Iam;
use crate::access_key::Owner;
use crate::listing::page;
use crate::store::MfaRecord;

impl Handle<ListMFADevices> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListMFADevicesRequest,
    ) -> Result<ListMFADevicesResponse, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        let serials = match &owner {
            Owner::User(user) => user.value.mfa_serials.as_slice(),
            Owner::Root(_) => &[],
        };
        let mut devices = Vec::with_capacity(serials.len());
        for serial in serials {
            let found = self.find_by_arn::<MfaRecord>(cx.account(), serial).await?;
            devices.extend(found.and_then(|device| device.value.enabled(cx.account())));
        }
        let order = |(place, _): &(usize, MFADevice)| format!("{place:02}");
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let found = page(devices.into_iter().enumerate(), order, marker, items_max)?;
        Ok(ListMFADevicesResponse {
            mfa_devices: found.items.into_iter().map(|(_, device)| device).collect(),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
