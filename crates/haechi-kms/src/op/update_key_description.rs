//! `UpdateKeyDescription`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::UpdateKeyDescription;
use haechi_kms_model::shapes::UpdateKeyDescriptionRequest;
use haechi_wire::shape::Unit;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::Use;

impl Handle<UpdateKeyDescription> for Kms {
    async fn handle(&self, cx: &Cx, input: UpdateKeyDescriptionRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        key.as_ref().admit(Use::Change)?;
        key.record().description = input.description;
        let mut batch = Batch::new();
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
