//! Changes the password of the user who calls.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ChangePassword;
use haechi_iam_model::shapes::ChangePasswordRequest;
use haechi_policy::Principal;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::entity::{Entity, EntityKind};
use crate::store::{LoginRecord, UserRecord, user_path};

impl Handle<ChangePassword> for Iam {
    async fn handle(&self, cx: &Cx, input: ChangePasswordRequest) -> Result<Unit, Error> {
        let user = self.calling_user(cx).await?;
        let login = self.login(cx.account(), &user).await?;
        let known = vec![login.value.hash.clone()];
        if !self.passwords.any_matches(known, &input.old_password).await? {
            let message = "The old password was incorrect.";
            return Err(Fault::AccessDenied(message.to_owned()).into());
        }
        if input.new_password.0 == input.old_password.0 {
            let message = "The new password must differ from the old one.";
            return Err(Fault::AccessDenied(message.to_owned()).into());
        }
        let changed = self.next_password(cx, &login.value, &input.new_password).await?;
        let mut batch = Batch::new();
        batch.replace(&login, &LoginRecord { is_reset_required: false, ..changed });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}

impl Iam {
    /// The user who calls, if it may change its own password.
    async fn calling_user(&self, cx: &Cx) -> Result<UserRecord, Error> {
        let (Principal::User { arn, unique_id, .. }, Some(name)) =
            (&cx.caller.principal, &cx.caller.user_name)
        else {
            let message = "Only IAM Users can change their own password";
            return Err(Error::InvalidUserTypeException(message.to_owned()));
        };
        EntityKind::User.note(cx, arn);
        let found = self.database.load::<UserRecord>(&user_path(cx.account(), name)).await?;
        let found = found.map(|user| user.value).filter(|user| user.id == *unique_id);
        self.authorize_of_password(cx, arn).await?;
        found.ok_or_else(|| UserRecord::KIND.not_found(name))
    }
}
