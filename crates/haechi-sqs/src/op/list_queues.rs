//! `ListQueues`.

use haechi_core::paging::Cursor;
use haechi_core::{Cx, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::ListQueues;
use haechi_sqs_model::shapes::{ListQueuesRequest, ListQueuesResult};

use crate::store::{Place, QueueRecord};
use crate::{Sqs, queue};

/// Queues in an answer, at most.
const PAGE_MAX: usize = 1000;

impl Handle<ListQueues> for Sqs {
    async fn handle(&self, cx: &Cx, input: ListQueuesRequest) -> Result<ListQueuesResult, Error> {
        let account = cx.account().as_str();
        // The account's queues in the Region, as AWS's denials name them.
        cx.authorize_on(&queue::arn(cx, account, "")).map_err(queue::denied)?;
        let place = Place { account: account.to_owned(), region: cx.region.to_string() };
        let prefix = input.queue_name_prefix.unwrap_or_default();
        let queues = self.database.list_all::<QueueRecord>(&place.queues()).await?;
        let mut names: Vec<String> = queues
            .into_iter()
            .map(|queue| queue.value.name)
            .filter(|name| name.starts_with(&prefix))
            .collect();
        names.sort_unstable();
        let (page, next_token) = page(names, input.max_results, input.next_token.as_deref())?;
        let urls: Vec<String> = page.iter().map(|name| queue::url(cx, account, name)).collect();
        Ok(ListQueuesResult { queue_urls: Some(urls).filter(|urls| !urls.is_empty()), next_token })
    }
}

/// A page of sorted names. The token tells the last name of the page before; without a size there are
/// no pages, as AWS has it.
pub(super) fn page(
    mut names: Vec<String>,
    size: Option<i32>,
    token: Option<&str>,
) -> Result<(Vec<String>, Option<String>), Error> {
    if token.is_some() && size.is_none() {
        let told = "MaxResults is a mandatory parameter when you provide a value for NextToken.";
        return Err(Error::InvalidParameterValueException(told.to_owned()));
    }
    if let Some(token) = token {
        let last = Cursor::decode(token).and_then(|cursor| String::from_utf8(cursor.0).ok());
        let last = last.ok_or_else(|| {
            let told = "Invalid or expired next token.";
            Error::InvalidParameterValueException(told.to_owned())
        })?;
        names.retain(|name| *name > last);
    }
    let Some(size) = size else {
        names.truncate(PAGE_MAX);
        return Ok((names, None));
    };
    let told = "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.";
    let count = usize::try_from(size).ok().filter(|size| (1..=PAGE_MAX).contains(size));
    let count = count.ok_or_else(|| Error::InvalidParameterValueException(told.to_owned()))?;
    let more = names.len() > count;
    names.truncate(count);
    let next = names.last().filter(|_| more).map(|last| Cursor(last.clone().into_bytes()).encode());
    Ok((names, next))
}
