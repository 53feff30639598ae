//! `TagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::TagResource;
use haechi_kms_model::shapes::TagResourceRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::{Kms, tags};

impl Handle<TagResource> for Kms {
    async fn handle(&self, cx: &Cx, input: TagResourceRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let facts = Facts { tags: &input.tags, ..Facts::default() };
        let (mut key, permit) = admit(cx, found, facts)?;
        key.as_ref().admit(Use::Change)?;
        tags::merge(&mut key.record().tags, &input.tags)?;
        let mut batch = Batch::new();
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
