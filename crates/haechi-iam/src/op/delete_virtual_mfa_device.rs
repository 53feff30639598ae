//! Deletes a virtual MFA device that is nobody's.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteVirtualMFADevice;
use haechi_iam_model::shapes::DeleteVirtualMFADeviceRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::by_arn::ByArn;
use crate::store::{MfaRecord, mfa_used_path};

impl Handle<DeleteVirtualMFADevice> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteVirtualMFADeviceRequest) -> Result<Unit, Error> {
        let asked = Conditions::default();
        let device = self.by_arn::<MfaRecord>(cx, &input.serial_number, asked).await?;
        if device.value.user.is_some() {
            let message = "MFA VirtualDevice in use. Must deactivate first.";
            return Err(Error::DeleteConflictException(message.to_owned()));
        }
        let mut batch = Batch::new();
        batch.remove(&device);
        batch.delete(mfa_used_path(cx.account(), &device.value.rest()));
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
