//! Tells of a user's FIDO security key, of which there are none here: virtual devices are not for
//! this operation.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetMFADevice;
use haechi_iam_model::shapes::{GetMFADeviceRequest, GetMFADeviceResponse};
use haechi_wire::Fault;

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
        self.device_of(cx.account(), &user.value, &input.serial_number).await?;
        let message = "The MFA device serial number sent in the request is invalid or not supported \
            by this API. Currently, only hardware FIDO security keys are supported. Please use the \
            compatible device or API.";
        Err(Fault::Validation(message.to_owned()).into())
    }
}
