//! Sets a device right whose clock is off, by two consecutive codes.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ResyncMFADevice;
use haechi_iam_model::shapes::ResyncMFADeviceRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::by_arn::{self, ByArn};
use crate::mfa;
use crate::store::{MfaRecord, MfaUsedRecord, mfa_used_path};

impl Handle<ResyncMFADevice> for Iam {
    async fn handle(&self, cx: &Cx, input: ResyncMFADeviceRequest) -> Result<Unit, Error> {
        let (account, now) = (cx.account(), cx.now());
        let user = self.user(cx, &input.user_name).await?;
        by_arn::note::<MfaRecord>(cx, &input.serial_number);
        let device = self.device_of(account, &user.value, &input.serial_number).await?;
        let used_path = mfa_used_path(account, &device.value.rest());
        let used = self.database.load::<MfaUsedRecord>(&used_path).await?;
        let newest = used.as_ref().map_or(i64::MIN, |used| used.value.step);
        let codes = (&*input.authentication_code1, &*input.authentication_code2);
        let accepted = mfa::consecutive(&device.value.seed()?, codes, now);
        // Old codes must not set the clock back to where they count again.
        let accepted = accepted.filter(|step| *step > newest).ok_or_else(mfa::invalid_codes)?;
        let drift_steps = mfa::drift(accepted, now);
        let mut batch = Batch::new();
        batch.replace(&device, &MfaRecord { drift_steps, ..device.value.clone() });
        let record = MfaUsedRecord::accepted(accepted);
        match &used {
            Some(used) => batch.replace(used, &record),
            None => batch.create(used_path, &record),
        }
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
