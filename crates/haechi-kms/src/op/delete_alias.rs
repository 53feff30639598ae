//! `DeleteAlias`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DeleteAlias;
use haechi_kms_model::shapes::DeleteAliasRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit};
use crate::{Kms, alias};

impl Handle<DeleteAlias> for Kms {
    async fn handle(&self, cx: &Cx, input: DeleteAliasRequest) -> Result<Unit, Error> {
        let name = input.alias_name;
        alias::check_name(&name)?;
        alias::authorize(cx, &name)?;
        let row = self.own_alias(cx, &name).await?;
        let found = self.draft(cx, &row.value.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        key.record().aliases.remove(&name);
        let mut batch = Batch::new();
        batch.remove(&row);
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
