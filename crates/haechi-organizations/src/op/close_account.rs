//! Closes a member account: from now on nobody in it may do anything.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::CloseAccount;
use haechi_organizations_model::shapes::CloseAccountRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{already_closed, constraint, no_account};

impl Handle<CloseAccount> for Organizations {
    async fn handle(&self, cx: &Cx, input: CloseAccountRequest) -> Result<Unit, Error> {
        let id = input.account_id.as_str();
        let organization = self.admit(cx, Reach::Management, |it| About::of(it, &[id])).await?;
        let member = organization.account(id).ok_or_else(no_account)?;
        if id == organization.management() {
            let message = "You cannot close the management account of an organization.";
            return Err(constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", message));
        }
        if !organization.record().all_features {
            let message =
                "Accounts can be closed only in an organization with all features enabled.";
            return Err(constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", message));
        }
        if member.closed_ms.is_some() {
            return Err(already_closed());
        }
        let mut change = organization.change();
        change.member(id, |member| member.closed_ms = Some(cx.now().millis()));
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
