//! `UntagResource`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::UntagResource;
use haechi_kms_model::shapes::UntagResourceRequest;
use haechi_wire::shape::Unit;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::Use;

impl Handle<UntagResource> for Kms {
    async fn handle(&self, cx: &Cx, input: UntagResourceRequest) -> Result<Unit, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let facts = Facts { tag_keys: &input.tag_keys, ..Facts::default() };
        let (mut key, permit) = admit(cx, found, facts)?;
        key.as_ref().admit(Use::Change)?;
        // A tag that is not there is no error.
        key.record().tags.retain(|name, _| !input.tag_keys.contains(name));
        let mut batch = Batch::new();
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
