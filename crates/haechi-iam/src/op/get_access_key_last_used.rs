//! When a key was last used, for what, and where.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetAccessKeyLastUsed;
use haechi_iam_model::shapes::{
    AccessKeyLastUsed, GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse,
};
use haechi_wire::Fault;

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::store::{AccessKeyRecord, key_path};
use crate::user;

/// What AWS answers where a key was never used.
const NOT_APPLICABLE: &str = "N/A";

impl Handle<GetAccessKeyLastUsed> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetAccessKeyLastUsedRequest,
    ) -> Result<GetAccessKeyLastUsedResponse, Error> {
        let id = &input.access_key_id;
        let key = self.database.load::<AccessKeyRecord>(&key_path(cx.account(), id)).await?;
        let Some(key) = key else { return Err(denied(cx, id).into()) };
        let user_name = match &key.value.user {
            Some(owner) => self.user(cx, &owner.name).await?.value.name.clone(),
            None => {
                authorize(cx, &user::root_arn(cx.account()), &Conditions::default())?;
                "root".to_owned()
            }
        };
        let last = self.last_use(id).await?;
        let shown = match last {
            Some(last) => AccessKeyLastUsed {
                last_used_date: Some(last.time),
                service_name: last.service,
                region: last.region,
            },
            None => AccessKeyLastUsed {
                last_used_date: None,
                service_name: NOT_APPLICABLE.to_owned(),
                region: NOT_APPLICABLE.to_owned(),
            },
        };
        Ok(GetAccessKeyLastUsedResponse {
            user_name: Some(user_name),
            access_key_last_used: Some(shown),
        })
    }
}

/// A key that is another account's looks like one that does not exist: nobody may ask about it.
/// AWS has no colon here (LocalStack's `test_access_key_errors`).
fn denied(cx: &Cx, id: &str) -> Fault {
    let (caller, action) = (cx.caller.arn(), cx.operation.action);
    Fault::AccessDenied(format!(
        "User: {caller} is not authorized to perform {action} on resource: access key {id}"
    ))
}
