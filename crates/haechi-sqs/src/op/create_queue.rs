//! `CreateQueue`.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::CreateQueue;
use haechi_sqs_model::shapes::{CreateQueueRequest, CreateQueueResult};
use haechi_wire::Fault;

use super::tag_queue;
use crate::attributes::{self, Attributes};
use crate::store::{Place, QueueRecord};
use crate::{Sqs, queue, sweep};

impl Handle<CreateQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: CreateQueueRequest) -> Result<CreateQueueResult, Error> {
        let (account, name) = (cx.account().as_str(), input.queue_name);
        let arn = queue::arn(cx, account, &name);
        let put = input.tags.clone().unwrap_or_default();
        let facts = Facts::putting(&put);
        cx.authorize_knowing(&arn, &facts).map_err(queue::denied)?;
        let wanted = attributes::wanted(input.attributes.unwrap_or_default());
        let is_fifo = wanted.get("FifoQueue").is_some_and(|value| value == "true");
        check_name(&name, is_fifo)?;
        let tags = input.tags.unwrap_or_default();
        tag_queue::check(&name, &tags, tags.len())?;
        let mut set = BTreeMap::new();
        attributes::set(&mut set, &wanted, is_fifo)?;
        let answer = CreateQueueResult { queue_url: Some(queue::url(cx, account, &name)) };
        let place = Place { account: account.to_owned(), region: cx.region.to_string() };
        if let Some(found) = self.database.load::<QueueRecord>(&place.queue(&name)).await? {
            same(&found.value, &wanted, &set, is_fifo)?;
            return Ok(answer);
        }
        cx.authorize_tagging("sqs:TagQueue", &arn, &facts).map_err(queue::denied)?;
        self.has_dead_letters(cx, &arn, &wanted).await?;
        let now_ms = cx.now().millis();
        let record = QueueRecord {
            id: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            policy_principals: attributes::principals(&self.env, &set).await?,
            attributes: set,
            tags,
            created_ms: now_ms,
            modified_ms: now_ms,
            purged_ms: None,
            scope_before: None,
            unknown: Unknown::new(),
            name,
        };
        let mut batch = Batch::new();
        batch.create(place.queue(&record.name), &record);
        batch.schedule(&sweep::job(&place, &record, cx.now())?);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(answer)
    }
}

fn check_name(name: &str, is_fifo: bool) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let stem = if is_fifo { name.strip_suffix(".fifo").unwrap_or_default() } else { name };
    if !stem.is_empty() && name.len() <= 80 && stem.bytes().all(plain) {
        return Ok(());
    }
    let told = if is_fifo {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    };
    Err(Error::InvalidParameterValueException(told.to_owned()))
}

/// Creating a queue again is no failure, if it would be the same.
fn same(
    queue: &QueueRecord,
    wanted: &BTreeMap<String, String>,
    set: &BTreeMap<String, String>,
    is_fifo: bool,
) -> Result<(), Error> {
    let has = Attributes(&queue.attributes).shown(is_fifo);
    let would = Attributes(set).shown(is_fifo);
    match wanted.keys().find(|name| has.get(*name) != would.get(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::QueueNameExists(format!(
            "A queue already exists with the same name and a different value for attribute {name}"
        ))),
    }
}
