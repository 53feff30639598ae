//! `TagQueue`.

use std::collections::BTreeMap;

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_sqs_model::Error;
use haechi_sqs_model::ops::TagQueue;
use haechi_sqs_model::shapes::TagQueueRequest;
use haechi_wire::shape::Unit;

use crate::Sqs;
use crate::error::missing;

/// Tags on a queue, at most.
const TAGS_MAX: usize = 50;

/// Refuses tags that no queue has (SQS Developer Guide, "Amazon SQS cost allocation tags", and
/// General Reference, "Tag naming limits").
pub(super) fn check(queue: &str, put: &BTreeMap<String, String>, all: usize) -> Result<(), Error> {
    let refused = |told: String| Err(Error::InvalidParameterValueException(told));
    // Tabs and line ends are no white space of `\p{Z}`.
    let is_space = |one: char| one.is_whitespace() && !one.is_control();
    let is_plain = |one| char::is_alphanumeric(one) || is_space(one) || "_.:/=+-@".contains(one);
    let plain = |text: &str| text.chars().all(is_plain);
    for (key, value) in put {
        if !(1..=128).contains(&key.chars().count()) {
            return refused(KEY_LENGTH.to_owned());
        }
        if value.chars().count() > 256 {
            return refused(
                "Tag values must be between 0 and 256 characters in length.".to_owned(),
            );
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return refused(
                "Tag keys that begin with aws: are reserved for system use.".to_owned(),
            );
        }
        if !plain(key) || !plain(value) {
            return refused(
                "Tag keys and values can only include letters, digits, white space, and _.:/=+-@."
                    .to_owned(),
            );
        }
    }
    if all > TAGS_MAX {
        return refused(format!("Too many tags added for queue {queue}."));
    }
    Ok(())
}

/// What is said of keys that are too short or too long.
pub(super) const KEY_LENGTH: &str = "Tag keys must be between 1 and 128 characters in length.";

impl Handle<TagQueue> for Sqs {
    async fn handle(&self, cx: &Cx, input: TagQueueRequest) -> Result<Unit, Error> {
        if input.tags.is_empty() {
            return Err(missing("Tags"));
        }
        let facts = Facts::putting(&input.tags);
        let (queue, _) = self.queue_knowing(cx, &input.queue_url, facts).await?;
        let mut record = queue.record().clone();
        record.tags.extend(input.tags.clone());
        check(&record.name, &input.tags, record.tags.len())?;
        let mut batch = Batch::new();
        batch.replace(&queue.loaded, &record);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
