//! `UntagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::UntagResource;
use haechi_secretsmanager_model::shapes::UntagResourceRequest;
use haechi_wire::shape::Unit;

use crate::SecretsManager;
use crate::authz::{Facts, admit};

impl Handle<UntagResource> for SecretsManager {
    async fn handle(&self, cx: &Cx, input: UntagResourceRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let facts = Facts { tag_keys: &input.tag_keys, ..Facts::default() };
        let (mut draft, permit) = admit(cx, found, facts)?;
        draft.record().writable_by(cx)?;
        let record = draft.change();
        let had_tags = !record.tags.is_empty();
        record.tags.retain(|key, _| !input.tag_keys.contains(key));
        record.tags_emptied |= had_tags && record.tags.is_empty();
        record.changed_ms = cx.now().millis();
        let mut batch = Batch::new();
        draft.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
