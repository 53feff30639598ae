//! Lists the service-specific credentials of a user, or of the caller itself: no service here takes
//! any, so there are none.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListServiceSpecificCredentials;
use haechi_iam_model::shapes::{
    ListServiceSpecificCredentialsRequest, ListServiceSpecificCredentialsResponse,
};

use crate::Iam;
use crate::authz::{Conditions, authorize};

impl Handle<ListServiceSpecificCredentials> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListServiceSpecificCredentialsRequest,
    ) -> Result<ListServiceSpecificCredentialsResponse, Error> {
        if input.all_users == Some(true) {
            authorize(cx, "*", &Conditions::default())?;
        } else {
            self.owner(cx, input.user_name.as_deref()).await?;
        }
        Ok(ListServiceSpecificCredentialsResponse {
            service_specific_credentials: Some(Vec::new()),
            marker: None,
            is_truncated: Some(false),
        })
    }
}
