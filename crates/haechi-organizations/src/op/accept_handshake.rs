//! Accepts an invitation: the caller's account is in the organization at once, below its root.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::AcceptHandshake;
use haechi_organizations_model::shapes::{
    AcceptHandshakeRequest, AcceptHandshakeResponse, HandshakeState,
};

use crate::Organizations;
use crate::accounts::{join, write};
use crate::error::{handshake_constraint, handshake_ended};
use crate::handshake::{Party, moved};
use crate::store::AccountRecord;

impl Handle<AcceptHandshake> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: AcceptHandshakeRequest,
    ) -> Result<AcceptHandshakeResponse, Error> {
        let found = self.handshake(cx, &input.handshake_id, Party::Invited).await?;
        let record = moved(&found.value, HandshakeState::Accepted, cx.now())?;
        let (row, contact) = self.contact(cx.account().as_str(), cx.now()).await?;
        if contact.organization.is_some() {
            let message = "The account is already a member of an organization.";
            return Err(handshake_constraint("ALREADY_IN_AN_ORGANIZATION", message));
        }
        let inviting = self.managed_by(&record.management).await?;
        let inviting = inviting.filter(|organization| organization.id() == record.organization);
        let Some(organization) = inviting else { return Err(handshake_ended()) };
        let mut change = organization.change();
        change.batch.replace(&found, &record);
        let contact = AccountRecord { organization: Some(record.management.clone()), ..contact };
        write(&mut change.batch, row.as_ref(), &contact);
        join(&mut change, &contact, false, record.tags.clone(), cx.now());
        self.save(cx, change).await?;
        Ok(AcceptHandshakeResponse { handshake: Some(record.shown(cx.now())) })
    }
}
