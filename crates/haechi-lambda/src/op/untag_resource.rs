//! `UntagResource`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::UntagResource;
use haechi_lambda_model::shapes::UntagResourceRequest;

use haechi_wire::shape::Unit;

use crate::Lambda;

impl Handle<UntagResource> for Lambda {
    async fn handle(&self, cx: &Cx, input: UntagResourceRequest) -> Result<Unit, Error> {
        let facts = Facts::default().and_taking(&input.tag_keys);
        if let Some(found) = self.tagged_mapping(cx, &input.resource, facts.clone()).await? {
            let mut mapping = found.value.clone();
            mapping.tags.retain(|key, _| !input.tag_keys.contains(key));
            let mut batch = Batch::new();
            batch.replace(&found, &mapping);
            self.database.commit(batch).await?;
            return Ok(Unit);
        }
        let mut function = self.tagged(cx, &input.resource, facts).await?;
        function.record.tags.retain(|key, _| !input.tag_keys.contains(key));
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
