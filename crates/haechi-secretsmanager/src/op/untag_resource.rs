//! `UntagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::UntagResource;
use haechi_secretsmanager_model::shapes::UntagResourceRequest;
use haechi_wire::shape::Unit;

use crate::SecretsManager;
use crate::authz::{Facts, admit, admit_tagged};

impl Handle<UntagResource> for SecretsManager {
    async fn handle(&self, cx: &Cx, input: UntagResourceRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let facts = || Facts { tag_keys: &input.tag_keys, ..Facts::default() };
        let (mut draft, _) = admit(cx, found, facts())?;
        draft.record().writable_by(cx)?;
        let record = draft.change();
        let before = record.tags.len();
        record.tags.retain(|key, _| !input.tag_keys.contains(key));
        if record.tags.len() == before {
            return Ok(Unit);
        }
        record.tags_emptied |= record.tags.is_empty();
        let (mut draft, permit) = admit_tagged(cx, draft, input.secret_id.clone(), facts())?;
        let mut batch = Batch::new();
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
