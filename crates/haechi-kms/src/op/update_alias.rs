//! `UpdateAlias`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::UpdateAlias;
use haechi_kms_model::shapes::UpdateAliasRequest;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::spec::SYMMETRIC;
use crate::store::KeyRecord;
use crate::{Kms, alias};

/// An alias stays with keys of one type and one usage: what calls by it must go on working.
fn same_type(old: &KeyRecord, new: &KeyRecord) -> Result<(), Error> {
    // Of keys of one usage, only those that encrypt are of two types.
    let symmetric = |key: &KeyRecord| key.spec == SYMMETRIC;
    if old.usage == new.usage && symmetric(old) == symmetric(new) {
        return Ok(());
    }
    Err(Fault::Validation(
        "The current and the new key must be of the same type (both symmetric, both asymmetric or \
         both HMAC), and must have the same key usage."
            .to_owned(),
    )
    .into())
}

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
            same_type(&old.as_ref().record, &new.as_ref().record)?;
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
