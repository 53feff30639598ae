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
        if !is_task(&task) {
            return Err(Error::InvalidInputException("Invalid task id".to_owned()));
        }
        let found = self.database.load::<DeletionRecord>(&deletion_path(account, &task)).await?;
        if found.is_none() {
            let message = "Cannot find deletion status for given id.";
            return Err(Error::NoSuchEntityException(message.to_owned()));
        }
        let status = DeletionTaskStatusType::Succeeded;
        Ok(GetServiceLinkedRoleDeletionStatusResponse { status, reason: None })
    }
}

/// Whether an id is of the form `task/aws-service-role/<service>/<role>/<random>`.
fn is_task(id: &str) -> bool {
    let parts: Vec<&str> = id.split('/').collect();
    matches!(&*parts, ["task", "aws-service-role", rest @ ..]
        if rest.len() == 3 && rest.iter().all(|part| !part.is_empty()))
}
