//! `RemovePermission`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::RemovePermission;
use haechi_sns_model::shapes::RemovePermissionInput;
use haechi_wire::shape::Unit;

use crate::{Sns, permission, topic};

impl Handle<RemovePermission> for Sns {
    async fn handle(&self, cx: &Cx, input: RemovePermissionInput) -> Result<Unit, Error> {
        let topic = self.topic(cx, &input.topic_arn).await?;
        let mut record = topic.record().clone();
        let before = topic::policy(&topic.arn, &record.attributes);
        let policy = permission::removed(&before, &input.label)?;
        record.attributes.insert("Policy".to_owned(), policy);
        let mut batch = Batch::new();
        batch.replace(&topic.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
