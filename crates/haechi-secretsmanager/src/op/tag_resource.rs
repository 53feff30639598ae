//! `TagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::TagResource;
use haechi_secretsmanager_model::shapes::TagResourceRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit, admit_tagged};
use crate::{SecretsManager, tags};

impl Handle<TagResource> for SecretsManager {
    async fn handle(&self, cx: &Cx, input: TagResourceRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let facts = || Facts { tags: &input.tags, ..Facts::default() };
        let (mut draft, _) = admit(cx, found, facts())?;
        draft.record().writable_by(cx)?;
        tags::merge(&mut draft.change().tags, &input.tags)?;
        let (mut draft, permit) = admit_tagged(cx, draft, input.secret_id.clone(), facts())?;
        let mut batch = Batch::new();
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
