//! Takes a device from a user. It is nobody's then, and can be enabled again or deleted.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeactivateMFADevice;
use haechi_iam_model::shapes::DeactivateMFADeviceRequest;
use haechi_wire::shape::Unit;

use crate::access_key::Owner;
use crate::store::MfaRecord;
use crate::{Iam, by_arn, mfa};

impl Handle<DeactivateMFADevice> for Iam {
    async fn handle(&self, cx: &Cx, input: DeactivateMFADeviceRequest) -> Result<Unit, Error> {
        let owner = self.owner(cx, input.user_name.as_deref()).await?;
        by_arn::note::<MfaRecord>(cx, &input.serial_number);
        // Devices of the root user are made in AWS's console, which is not here.
        let Owner::User(user) = owner else { return Err(mfa::not_the_users()) };
        mfa::check_shown(cx, &user.value)?;
        let device = self.device_of(cx.account(), &user.value, &input.serial_number).await?;
        let free = MfaRecord { user: None, enabled_ms: None, ..device.value.clone() };
        let mut changed = user.value.clone();
        changed.mfa_serials.retain(|serial| *serial != input.serial_number);
        let mut batch = Batch::new();
        batch.replace(&device, &free);
        batch.replace(&user, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
