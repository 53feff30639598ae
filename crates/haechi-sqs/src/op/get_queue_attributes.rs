//! `GetQueueAttributes`.

use std::collections::BTreeMap;

use haechi_core::{Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::GetQueueAttributes;
use haechi_sqs_model::shapes::{GetQueueAttributesRequest, GetQueueAttributesResult};
use haechi_wire::Fault;

use crate::queue::Queue;
use crate::store::MessageRecord;
use crate::{Sqs, attributes};

impl Handle<GetQueueAttributes> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetQueueAttributesRequest,
    ) -> Result<GetQueueAttributesResult, Error> {
        let (queue, _) = self.queue(cx, &input.queue_url).await?;
        let names: Vec<&str> = input.attribute_names.iter().flatten().map(String::as_str).collect();
        attributes::known(names.iter().copied())?;
        let is_wanted = |name: &str| names.contains(&"All") || names.contains(&name);
        let mut shown = queue.attributes().shown(queue.is_fifo());
        shown.insert("QueueArn".to_owned(), queue.arn.clone());
        let seconds = |millis: i64| (millis / 1000).to_string();
        shown.insert("CreatedTimestamp".to_owned(), seconds(queue.record().created_ms));
        shown.insert("LastModifiedTimestamp".to_owned(), seconds(queue.record().modified_ms));
        if COUNTS.iter().any(|name| is_wanted(name)) {
            shown.extend(self.counts(&queue, cx.now().millis()).await?);
        }
        shown.retain(|name, _| is_wanted(name));
        Ok(GetQueueAttributesResult { attributes: Some(shown).filter(|shown| !shown.is_empty()) })
    }
}

/// Messages that may be received, that are in flight, that were sent with a delay.
const COUNTS: [&str; 3] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

impl Sqs {
    pub(super) async fn counts(
        &self,
        queue: &Queue,
        now_ms: i64,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let (prefix, retention_ms) =
            (queue.place.messages(&queue.record().id), queue.attributes().retention_ms());
        let (mut visible, mut in_flight, mut delayed) = (0_u64, 0_u64, 0_u64);
        let mut from = None;
        loop {
            let page = self.database.list::<MessageRecord>(&prefix, from.as_ref(), 1000).await?;
            for message in page.items.iter().map(|row| &row.value) {
                if message.expires_ms(retention_ms) <= now_ms {
                    continue;
                }
                *match (message.due_ms <= now_ms, message.receive_count) {
                    (true, _) => &mut visible,
                    (false, 0) => &mut delayed,
                    (false, _) => &mut in_flight,
                } += 1;
            }
            from = page.next;
            if from.is_none() {
                let counts = [visible, in_flight, delayed].map(|count| count.to_string());
                return Ok(COUNTS.map(str::to_owned).into_iter().zip(counts).collect());
            }
        }
    }
}
