//! `SetTopicAttributes`.

use haechi_core::{Batch, Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::SetTopicAttributes;
use haechi_sns_model::shapes::SetTopicAttributesInput;
use haechi_wire::shape::Unit;

use crate::{Sns, topic_attributes};

impl Handle<SetTopicAttributes> for Sns {
    async fn handle(&self, cx: &Cx, input: SetTopicAttributesInput) -> Result<Unit, Error> {
        let topic = self.topic(cx, &input.topic_arn).await?;
        let mut record = topic.record().clone();
        let value = input.attribute_value.as_deref().unwrap_or_default();
        let wanted = (input.attribute_name.as_str(), value);
        topic_attributes::set(cx, &topic.arn, &mut record.attributes, wanted)?;
        if input.attribute_name == "Policy" {
            record.policy_principals =
                topic_attributes::principals(&self.env, &record.attributes).await?;
        }
        let mut batch = Batch::new();
        batch.replace(&topic.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
