//! Ends the organization: only its management account may be left in it.

use haechi_core::{Batch, Cx, Handle, Job};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DeleteOrganization;
use haechi_wire::shape::Unit;

use crate::Organizations;
use crate::accounts::write;
use crate::authz::{About, Reach};
use crate::change::touch;
use crate::creation::SWEEP;
use crate::error::not_empty;
use crate::store::AccountRecord;

impl Handle<DeleteOrganization> for Organizations {
    async fn handle(&self, cx: &Cx, _: Unit) -> Result<Unit, Error> {
        let organization = self.admit(cx, Reach::Management, |_| About::all()).await?;
        if organization.accounts.len() > 1 {
            return Err(not_empty());
        }
        let management = organization.management();
        let (found, contact) = self.contact(management, cx.now()).await?;
        let mut batch = Batch::new();
        batch.remove(&organization.head);
        write(&mut batch, found.as_ref(), &AccountRecord { organization: None, ..contact });
        let owner = management.to_owned();
        batch.schedule(&Job::new(SWEEP, organization.id(), cx.now(), owner));
        touch(&mut batch, cx.now());
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(Unit)
    }
}
