//! Adds tags to an MFA device, or changes them.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagMFADevice;
use haechi_iam_model::shapes::TagMFADeviceRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::MfaRecord;

impl Handle<TagMFADevice> for Iam {
    async fn handle(&self, cx: &Cx, input: TagMFADeviceRequest) -> Result<Unit, Error> {
        self.tag_by_arn::<MfaRecord>(cx, &input.serial_number, &input.tags).await
    }
}
