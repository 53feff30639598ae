//! Moves an account below another parent; the policies of its new line bind it at once.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::MoveAccount;
use haechi_organizations_model::shapes::MoveAccountRequest;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::{already_there, no_account, no_destination, no_source};
use crate::organization::Organization;

impl Handle<MoveAccount> for Organizations {
    async fn handle(&self, cx: &Cx, input: MoveAccountRequest) -> Result<Unit, Error> {
        let (id, from) = (input.account_id.as_str(), input.source_parent_id.as_str());
        let to = input.destination_parent_id.as_str();
        let about = |it: &Organization| About::of(it, &[id, from, to]);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let member = organization.account(id).ok_or_else(no_account)?;
        organization.parent(from).ok_or_else(no_source)?;
        organization.parent(to).ok_or_else(no_destination)?;
        if member.parent == to {
            return Err(already_there());
        }
        if member.parent != from {
            return Err(no_source());
        }
        let mut change = organization.change();
        change.member(id, |member| to.clone_into(&mut member.parent));
        self.save(cx, change).await?;
        Ok(Unit)
    }
}
