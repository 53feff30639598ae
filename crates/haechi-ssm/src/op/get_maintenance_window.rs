//! `GetMaintenanceWindow`.
//!
//! Nobody can make one here, and so none exists: that is AWS's answer, too.
//!
//! Source: API Reference, GetMaintenanceWindow; the message as LocalStack's suite knows it of AWS.

use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::GetMaintenanceWindow;
use haechi_ssm_model::shapes::{GetMaintenanceWindowRequest, GetMaintenanceWindowResult};

use crate::Ssm;
use crate::authz::Wanted;

impl Handle<GetMaintenanceWindow> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetMaintenanceWindowRequest,
    ) -> Result<GetMaintenanceWindowResult, Error> {
        let id = input.window_id;
        let arn = cx.arn("ssm", &format!("maintenancewindow/{id}"));
        Wanted::on(&arn, cx.account().as_str(), None).allow(cx)?;
        Err(Error::DoesNotExistException(format!("Maintenance window {id} does not exist")))
    }
}
