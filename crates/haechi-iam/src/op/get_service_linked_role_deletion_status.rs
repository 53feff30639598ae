//! Tells how the deletion of a service-linked role goes: it is done once it was asked for.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetServiceLinkedRoleDeletionStatus;
use haechi_iam_model::shapes::{
    DeletionTaskStatusType, GetServiceLinkedRoleDeletionStatusRequest,
    GetServiceLinkedRoleDeletionStatusResponse,
};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::store::{DeletionRecord, deletion_path};

impl Handle<GetServiceLinkedRoleDeletionStatus> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetServiceLinkedRoleDeletionStatusRequest,
    ) -> Result<GetServiceLinkedRoleDeletionStatusResponse, Error> {
        let account = cx.account();
        let task = input.deletion_task_id;
        let named = task.strip_prefix("task").and_then(|rest| rest.rsplit_once('/'));
        let role = named.map_or("/", |(role, _)| role);
        authorize(cx, &format!("arn:aws:iam::{account}:role{role}"), &Conditions::default())?;
        let found = self.database.load::<DeletionRecord>(&deletion_path(account, &task)).await?;
        if found.is_none() {
            let message = format!("Deletion task {task} cannot be found.");
            return Err(Error::NoSuchEntityException(message));
        }
        let status = DeletionTaskStatusType::Succeeded;
        Ok(GetServiceLinkedRoleDeletionStatusResponse { status, reason: None })
    }
}
