//! Shows a device of a user, or of the caller itself.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetMFADevice;
use haechi_iam_model::shapes::{GetMFADeviceRequest, GetMFADeviceResponse};
use haechi_wire::Timestamp;

use crate::access_key::Owner;
use crate::store::MfaRecord;
use crate::{Iam, by_arn, mfa};

impl Handle<GetMFADevice> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetMFADeviceRequest,
    ) -> Result<GetMFADeviceResponse, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        by_arn::note::<MfaRecord>(cx, &input.serial_number);
        let Owner::User(user) = owner else { return Err(mfa::not_the_users()) };
        let device = self.device_of(cx.account(), &user.value, &input.serial_number).await?;
        Ok(GetMFADeviceResponse {
            user_name: Some(user.value.name.clone()),
            serial_number: input.serial_number,
            enable_date: device.value.enabled_ms.map(Timestamp::from_millis),
            certifications: None,
        })
    }
}
