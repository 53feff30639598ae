//! `CreateAlias`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::CreateAlias;
use haechi_kms_model::shapes::CreateAliasRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::store::{AliasRecord, alias_path};
use crate::{Kms, alias};

impl Handle<CreateAlias> for Kms {
    async fn handle(&self, cx: &Cx, input: CreateAliasRequest) -> Result<Unit, Error> {
        let name = input.alias_name;
        alias::check_name(&name)?;
        alias::check_target(&input.target_key_id)?;
        let account = cx.account().as_str();
        let alias_arn = alias::authorize(cx, &name)?;
        let found = self.draft(cx, &input.target_key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        key.as_ref().admit(Use::Change)?;

        let path = alias_path(account, cx.region.as_str(), &name);
        if self.database.load::<AliasRecord>(&path).await?.is_some() {
            let message = format!("An alias with the name {alias_arn} already exists");
            return Err(Error::AlreadyExistsException(message));
        }
        let now_ms = cx.now().millis();
        let record = AliasRecord {
            name,
            key_id: key.as_ref().record.id.clone(),
            created_ms: now_ms,
            updated_ms: now_ms,
            unknown: Unknown::new(),
        };
        alias::attach(key.record(), &record.name)?;
        let mut batch = Batch::new();
        batch.create(path, &record);
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
