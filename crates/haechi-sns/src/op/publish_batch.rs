//! `PublishBatch`.

use std::collections::BTreeSet;

use haechi_core::{Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::PublishBatch;
use haechi_sns_model::shapes::{
    BatchResultErrorEntry, PublishBatchInput, PublishBatchRequestEntry, PublishBatchResponse,
    PublishBatchResultEntry,
};
use haechi_wire::{Fault, Problem, Protocol};

use crate::Sns;
use crate::arn::TopicArn;
use crate::envelope::sequence_number;
use crate::message::{BYTES_MAX, Draft};

/// Entries in a batch, at most.
const ENTRIES_MAX: usize = 10;

impl Handle<PublishBatch> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: PublishBatchInput,
    ) -> Result<PublishBatchResponse, Error> {
        let arn = TopicArn::parse(cx, &input.topic_arn)?;
        let topic = self.topic_to_publish(cx, &arn).await?;
        let entries = input.publish_batch_request_entries;
        check(&entries)?;
        let drafts: Vec<(String, Draft)> =
            entries.into_iter().map(|entry| (entry.id.clone(), Draft::from(entry))).collect();
        if drafts.iter().map(|(_, draft)| draft.bytes()).sum::<usize>() > BYTES_MAX {
            return Err(Error::BatchRequestTooLongException(
                "The length of all the messages put together is more than the limit.".to_owned(),
            ));
        }
        // What KMS refuses, it refuses of all of them.
        self.sending_key(cx, &arn, &topic).await?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        // One transaction each: a deduplication id that an entry takes, the next one must see.
        for (id, draft) in drafts {
            match self.publish_until_decided(cx, &arn, &topic, draft).await {
                Ok(receipt) => successful.push(PublishBatchResultEntry {
                    id: Some(id),
                    message_id: Some(receipt.message_id),
                    sequence_number: receipt.sequence.map(sequence_number),
                }),
                // Attributes are looked at before anything is published, as with AWS.
                Err(error @ Error::InvalidParameterValueException(_)) if successful.is_empty() => {
                    return Err(error);
                }
                Err(error) => failed.push(refused(id, error)?),
            }
        }
        Ok(PublishBatchResponse { successful: Some(successful), failed: Some(failed) })
    }
}

fn check(entries: &[PublishBatchRequestEntry]) -> Result<(), Error> {
    if entries.is_empty() {
        return Err(Error::EmptyBatchRequestException(
            "The batch request doesn't contain any entries.".to_owned(),
        ));
    }
    if entries.len() > ENTRIES_MAX {
        return Err(Error::TooManyEntriesInBatchRequestException(
            "The batch request contains more entries than permissible.".to_owned(),
        ));
    }
    let mut seen = BTreeSet::new();
    for PublishBatchRequestEntry { id, .. } in entries {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > 80 || !id.bytes().all(plain) {
            return Err(Error::InvalidBatchEntryIdException(
                "The Id of a batch entry in a batch request doesn't abide by the specification."
                    .to_owned(),
            ));
        }
        if !seen.insert(id) {
            return Err(Error::BatchEntryIdsNotDistinctException(
                "Two or more batch entries in the request have the same Id.".to_owned(),
            ));
        }
    }
    Ok(())
}

/// How an entry that failed by the caller's fault is told; a failure of the server's is the whole
/// batch's.
fn refused(id: String, error: Error) -> Result<BatchResultErrorEntry, Error> {
    if let Error::Fault(
        fault @ (Fault::Conflict | Fault::Internal(_) | Fault::Unavailable { .. }),
    ) = error
    {
        return Err(Error::Fault(fault));
    }
    let problem = Problem::from(error);
    let code = problem.code(Protocol::Query).to_owned();
    Ok(BatchResultErrorEntry { id, code, message: Some(problem.message()), sender_fault: true })
}
