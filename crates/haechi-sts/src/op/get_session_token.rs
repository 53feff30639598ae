//! Temporary credentials of the calling user itself. Needs no permission.

use haechi_core::{Cx, Handle, SessionHolder};
use haechi_policy::Principal;
use haechi_sts_model::Error;
use haechi_sts_model::ops::GetSessionToken;
use haechi_sts_model::shapes::{GetSessionTokenRequest, GetSessionTokenResponse};

use crate::Sts;
use crate::issue::Wish;
use crate::op::lifetime;
use crate::policies::SessionPolicies;
use crate::tags::SessionTags;

impl Handle<GetSessionToken> for Sts {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetSessionTokenRequest,
    ) -> Result<GetSessionTokenResponse, Error> {
        lifetime::check_long_term(cx)?;
        self.check_mfa(cx, input.serial_number.as_deref(), input.token_code.as_deref()).await?;
        let holder = match (&cx.caller.principal, &cx.caller.user_name) {
            (Principal::User { unique_id, .. }, Some(name)) => {
                SessionHolder::User { name: name.clone(), id: unique_id.clone() }
            }
            _ => SessionHolder::Root,
        };
        let wish = Wish {
            account: cx.account(),
            holder,
            seconds: lifetime::seconds(cx, input.duration_seconds),
            policies: SessionPolicies::none(),
            tags: SessionTags::default(),
            source_identity: None,
            mfa: cx.mfa(),
            federated_provider: None,
            source_function: None,
        };
        let credentials = Some(self.issue(cx, wish)?.credentials);
        Ok(GetSessionTokenResponse { credentials, ..GetSessionTokenResponse::default() })
    }
}
