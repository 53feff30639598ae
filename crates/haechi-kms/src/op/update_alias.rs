//! `UpdateAlias`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::UpdateAlias;
use haechi_kms_model::shapes::UpdateAliasRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::{Kms, alias};

impl Handle<UpdateAlias> for Kms {
    async fn handle(&self, cx: &Cx, input: UpdateAliasRequest) -> Result<Unit, Error> {
        let name = input.alias_name;
        alias::check_name(&name)?;
        alias::check_target(&input.target_key_id)?;
        alias::authorize(cx, &name)?;
        let row = self.own_alias(cx, &name).await?;
        let old = self.draft(cx, &row.value.key_id).await?;
        let (mut old, old_permit) = admit(cx, old, Facts::default())?;
        let new = self.draft(cx, &input.target_key_id).await?;
        let (mut new, new_permit) = admit(cx, new, Facts::default())?;
        new.as_ref().admit(Use::Change)?;

        let mut record = row.value.clone();
        record.updated_ms = cx.now().millis();
        let mut batch = Batch::new();
        if record.key_id != new.as_ref().record.id {
            record.key_id.clone_from(&new.as_ref().record.id);
            old.record().aliases.remove(&name);
            alias::attach(new.record(), &name)?;
            old.save(&old_permit, &mut batch);
            new.save(&new_permit, &mut batch);
        }
        batch.replace(&row, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
