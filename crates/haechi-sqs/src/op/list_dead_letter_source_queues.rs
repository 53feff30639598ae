//! `ListDeadLetterSourceQueues`.

use haechi_core::{Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ListDeadLetterSourceQueues;
use haechi_sqs_model::shapes::{
    ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult,
};

use super::list_queues::page;
use crate::attributes::Attributes;
use crate::store::QueueRecord;
use crate::{Sqs, queue};

impl Handle<ListDeadLetterSourceQueues> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListDeadLetterSourceQueuesRequest,
    ) -> Result<ListDeadLetterSourceQueuesResult, Error> {
        let (target, _) = self.queue(cx, &input.queue_url).await?;
        let queues = self.database.list_all::<QueueRecord>(&target.place.queues()).await?;
        let is_source = |queue: &QueueRecord| {
            let redrive = Attributes(&queue.attributes).redrive();
            redrive.is_some_and(|redrive| redrive.target_arn == target.arn)
        };
        let sources = queues.into_iter().map(|queue| queue.value).filter(is_source);
        let mut names: Vec<String> = sources.map(|queue| queue.name).collect();
        names.sort_unstable();
        let (page, next_token) = page(names, input.max_results, input.next_token.as_deref())?;
        let account = &target.place.account;
        let queue_urls = page.iter().map(|name| queue::url(cx, account, name)).collect();
        Ok(ListDeadLetterSourceQueuesResult { queue_urls, next_token })
    }
}
