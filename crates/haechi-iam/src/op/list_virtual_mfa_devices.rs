//! Lists the account's virtual MFA devices by serial number, with the users that have them.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListVirtualMFADevices;
use haechi_iam_model::shapes::{
    AssignmentStatusType, ListVirtualMFADevicesRequest, ListVirtualMFADevicesResponse,
};

use crate::Iam;
use crate::by_arn::ByArn;
use crate::listing::page;
use crate::store::MfaRecord;

impl Handle<ListVirtualMFADevices> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListVirtualMFADevicesRequest,
    ) -> Result<ListVirtualMFADevicesResponse, Error> {
        cx.authorize_any()?;
        let account = cx.account();
        let rows = self.database.list_all::<MfaRecord>(&MfaRecord::prefix(account)).await?;
        let is_wanted = |device: &MfaRecord| match input.assignment_status {
            Some(AssignmentStatusType::Assigned) => device.user.is_some(),
            Some(AssignmentStatusType::Unassigned) => device.user.is_none(),
            Some(AssignmentStatusType::Any) | None => true,
        };
        let rows = rows.into_iter().map(|row| row.value).filter(is_wanted);
        let mut devices: Vec<(String, MfaRecord)> =
            rows.map(|device| (device.arn(account), device)).collect();
        devices.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let (marker, items_max) = (input.marker.as_deref(), input.max_items);
        let order = |(serial, _): &(String, MfaRecord)| serial.clone();
        let found = page(devices.into_iter(), order, marker, items_max)?;
        let mut virtual_mfa_devices = Vec::with_capacity(found.items.len());
        for (_, device) in &found.items {
            virtual_mfa_devices.push(self.listed_device(account, device).await?);
        }
        Ok(ListVirtualMFADevicesResponse {
            virtual_mfa_devices,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
