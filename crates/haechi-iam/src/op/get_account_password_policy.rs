//! Shows what the account asks of passwords.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetAccountPasswordPolicy;
use haechi_iam_model::shapes::GetAccountPasswordPolicyResponse;
use haechi_wire::shape::Unit;

use crate::Iam;

impl Handle<GetAccountPasswordPolicy> for Iam {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<GetAccountPasswordPolicyResponse, Error> {
        self.authorize_of_password(cx, "*").await?;
        let policy = self.password_policy(cx).await?.ok_or_else(|| {
            let account = cx.account();
            let message =
                format!("The Password Policy with domain name {account} cannot be found.");
            Error::NoSuchEntityException(message)
        })?;
        Ok(GetAccountPasswordPolicyResponse { password_policy: policy.shown() })
    }
}
