//! Gives a device to a user, once two consecutive codes have shown that the user has its seed.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::EnableMFADevice;
use haechi_iam_model::shapes::EnableMFADeviceRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::by_arn::{self, ByArn};
use crate::mfa::{self, DEVICES_MAX};
use crate::store::{MfaRecord, MfaUsedRecord, UserRecord, UserReference, mfa_used_path};

impl Handle<EnableMFADevice> for Iam {
    async fn handle(&self, cx: &Cx, input: EnableMFADeviceRequest) -> Result<Unit, Error> {
        let (account, now) = (cx.account(), cx.now());
        let user = self.user(cx, &input.user_name).await?;
        mfa::check_shown(cx, &user.value)?;
        by_arn::note::<MfaRecord>(cx, &input.serial_number);
        let device = self.find_by_arn::<MfaRecord>(account, &input.serial_number).await?;
        let device = device.ok_or_else(|| MfaRecord::not_found(&input.serial_number))?;
        if let Some(owner) = &device.value.user {
            let message = match owner.id == user.value.id {
                true => format!("MFA Device for user {} already exists.", owner.name),
                false => "MFA Device is already in use.".to_owned(),
            };
            return Err(Error::EntityAlreadyExistsException(message));
        }
        if user.value.mfa_serials.len() >= DEVICES_MAX {
            let message = format!("Cannot exceed quota for MFADevicesPerUser: {DEVICES_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let codes = (&*input.authentication_code1, &*input.authentication_code2);
        let accepted = mfa::consecutive(&device.value.seed()?, codes, now);
        let accepted = accepted.ok_or_else(mfa::invalid_codes)?;
        let owner = UserReference { name: user.value.name.clone(), id: user.value.id.clone() };
        let enabled = MfaRecord {
            user: Some(owner),
            enabled_ms: Some(now.millis()),
            drift_steps: mfa::drift(accepted, now),
            ..device.value.clone()
        };
        let mut changed: UserRecord = user.value.clone();
        changed.mfa_serials.push(input.serial_number);
        let mut batch = Batch::new();
        batch.replace(&device, &enabled);
        batch.replace(&user, &changed);
        let used = mfa_used_path(account, &enabled.rest());
        batch.put(used, &MfaUsedRecord::accepted(accepted));
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
