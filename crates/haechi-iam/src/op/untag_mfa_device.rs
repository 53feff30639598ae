//! Takes tags from an MFA device; keys that it does not have are no error.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagMFADevice;
use haechi_iam_model::shapes::UntagMFADeviceRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::MfaRecord;

impl Handle<UntagMFADevice> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagMFADeviceRequest) -> Result<Unit, Error> {
        self.untag_by_arn::<MfaRecord>(cx, &input.serial_number, &input.tag_keys).await
    }
}
