//! Changes the password of the user who calls.

use haechi_core::{Ask, Batch, Cx, Handle, NoContext};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ChangePassword;
use haechi_iam_model::shapes::ChangePasswordRequest;
use haechi_policy::{Kind, Principal, ResourceRule};
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
        let changed = self.next_password(cx, &login.value, &input.new_password).await?;
        let mut batch = Batch::new();
        batch.replace(&login, &LoginRecord { is_reset_required: false, ..changed });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}

impl Iam {
    /// The user who calls, if it may change its own password: a policy allows it, or the account's
    /// password policy does and none denies it.
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
        let decided = cx.decide(&Ask {
            action: cx.operation.action,
            resource: arn,
            resource_account: cx.account().as_str(),
            policy: None,
            rule: ResourceRule::Union,
            context: &NoContext,
        });
        if let Err(denied) = decided {
            let is_silent = !denied.denial.is_explicit() && denied.denial.kind() == Kind::Identity;
            let lets_users_change =
                self.password_policy(cx).await?.is_some_and(|policy| policy.lets_users_change);
            if !(is_silent && lets_users_change) {
                return Err(Fault::from(denied).into());
            }
        }
        found.ok_or_else(|| UserRecord::KIND.not_found(name))
    }
}
