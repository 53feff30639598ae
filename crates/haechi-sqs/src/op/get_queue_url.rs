//! `GetQueueUrl`.

use haechi_core::{AccountId, Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::GetQueueUrl;
use haechi_sqs_model::shapes::{GetQueueUrlRequest, GetQueueUrlResult};

use crate::error::no_queue;
use crate::{Sqs, queue};

impl Handle<GetQueueUrl> for Sqs {
    async fn handle(&self, cx: &Cx, input: GetQueueUrlRequest) -> Result<GetQueueUrlResult, Error> {
        let account = match &input.queue_owner_aws_account_id {
            Some(owner) => AccountId::parse(owner).ok_or_else(no_queue)?,
            None => cx.account().clone(),
        };
        let (queue, _) = self.queue_named(cx, &account, &input.queue_name).await?;
        let url = queue::url(cx, account.as_str(), &queue.record().name);
        Ok(GetQueueUrlResult { queue_url: Some(url) })
    }
}
