//! `AddPermission`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::AddPermission;
use haechi_sns_model::shapes::AddPermissionInput;
use haechi_wire::shape::Unit;

use crate::{Sns, permission, topic, topic_attributes};

impl Handle<AddPermission> for Sns {
    async fn handle(&self, cx: &Cx, input: AddPermissionInput) -> Result<Unit, Error> {
        let topic = self.topic(cx, &input.topic_arn).await?;
        let mut record = topic.record().clone();
        let before = topic::policy(&topic.arn, &record.attributes);
        let statement = (&*input.label, &*input.aws_account_id, &*input.action_name);
        let policy = permission::added(&before, &topic.arn.arn, statement)?;
        topic_attributes::check_policy(&policy)?;
        record.attributes.insert("Policy".to_owned(), policy);
        let mut batch = Batch::new();
        batch.replace(&topic.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
