//! Messages that other services publish for themselves: EventBridge.

use haechi_core::{Cx, Operation as _, Region, Source};
use haechi_sns_model::Error;
use haechi_sns_model::ops::Publish;
use haechi_sns_model::shapes::PublishInput;

use crate::Sns;
use crate::arn::TopicArn;
use crate::error::invalid;
use crate::message::Draft;

/// What a service publishes.
pub struct Posting {
    /// The topic's ARN.
    pub topic_arn: String,
    /// The message.
    pub message: String,
    /// The message group.
    pub group_id: Option<String>,
    /// Of a FIFO topic: what tells a message that is published twice from two.
    pub deduplication_id: String,
}

impl Sns {
    /// Publishes a message on behalf of `source`, if the topic's policy lets `service`, and
    /// that of the topic's KMS key where it has one.
    ///
    /// # Errors
    /// As `Publish`.
    pub async fn post(&self, service: &str, source: Source, posting: Posting) -> Result<(), Error> {
        let region = posting.topic_arn.split(':').nth(3).and_then(Region::parse);
        let region = region.ok_or_else(|| invalid("TopicArn"))?;
        let cx = Cx::by_service(&self.env, region, service, source, Publish::SCHEMA).await?;
        let arn = TopicArn::parse(&cx, &posting.topic_arn)?;
        let topic = self.topic_to_publish(&cx, &arn).await?;
        let draft = Draft::from(PublishInput {
            message: posting.message,
            message_group_id: posting.group_id,
            message_deduplication_id: topic.is_fifo().then_some(posting.deduplication_id),
            ..Default::default()
        });
        let published = self.publish_until_decided(&cx, &arn, &topic, draft).await;
        // What KMS was asked on the way, and no request tells of.
        self.envelope.keys().record(&cx).await?;
        published.map(|_| ())
    }
}
