//! `ListDeadLetterSourceQueues`.

use haechi_core::{Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ListDeadLetterSourceQueues;
use haechi_sqs_model::shapes::{
    ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult,
};

use super::list_queues::page;
use crate::{Sqs, queue};

impl Handle<ListDeadLetterSourceQueues> for Sqs {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListDeadLetterSourceQueuesRequest,
    ) -> Result<ListDeadLetterSourceQueuesResult, Error> {
        let (target, _) = self.queue(cx, &input.queue_url).await?;
        let sources = self.dead_letter_sources(&target).await?;
        let mut names: Vec<String> = sources.into_iter().map(|queue| queue.name).collect();
        names.sort_unstable();
        let (page, next_token) = page(names, input.max_results, input.next_token.as_deref())?;
        let account = &target.place.account;
        let queue_urls = page.iter().map(|name| queue::url(cx, account, name)).collect();
        Ok(ListDeadLetterSourceQueuesResult { queue_urls, next_token })
    }
}
