//! `TagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::TagResource;
use haechi_secretsmanager_model::shapes::TagResourceRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit};
use crate::{SecretsManager, tags};

impl Handle<TagResource> for SecretsManager {
    async fn handle(&self, cx: &Cx, input: TagResourceRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let facts = Facts { tags: &input.tags, ..Facts::default() };
        let (mut draft, permit) = admit(cx, found, facts)?;
        draft.record().writable_by(cx)?;
        tags::merge(&mut draft.change().tags, &input.tags)?;
        draft.change().changed_ms = cx.now().millis();
        let mut batch = Batch::new();
        draft.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
