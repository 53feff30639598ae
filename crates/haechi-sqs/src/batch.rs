//! Up to ten in one request, each with its own outcome.

use std::collections::BTreeSet;

use haechi_sqs_model::Error;
use haechi_sqs_model::shapes::BatchResultErrorEntry;
use haechi_wire::{Fault, Problem};

/// Entries in a batch, at most.
const ENTRIES_MAX: usize = 10;

/// Checks a batch's ids. `kind` names its entries, as AWS does.
pub(crate) fn check<'a>(
    kind: &str,
    ids: impl ExactSizeIterator<Item = &'a str>,
) -> Result<(), Error> {
    match ids.len() {
        0 => {
            return Err(Error::EmptyBatchRequest(format!(
                "There should be at least one {kind} in the request."
            )));
        }
        many if many > ENTRIES_MAX => {
            return Err(Error::TooManyEntriesInBatchRequest(format!(
                "Maximum number of entries per request are {ENTRIES_MAX}. You have sent {many}."
            )));
        }
        _ => {}
    }
    let mut seen = BTreeSet::new();
    for id in ids {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > 80 || !id.bytes().all(plain) {
            return Err(Error::InvalidBatchEntryId(
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
                    .to_owned(),
            ));
        }
        if !seen.insert(id) {
            return Err(Error::BatchEntryIdsNotDistinct(format!("Id {id} repeated.")));
        }
    }
    Ok(())
}

/// A list of outcomes; one that is empty is left out of the answer (recorded).
pub(crate) fn told<T>(outcomes: Vec<T>) -> Option<Vec<T>> {
    Some(outcomes).filter(|outcomes| !outcomes.is_empty())
}

/// How an entry that failed by the caller's fault is told.
///
/// # Errors
/// A failure of the server's is the whole batch's.
pub(crate) fn failed(id: String, error: Error) -> Result<BatchResultErrorEntry, Error> {
    if let Error::Fault(
        fault @ (Fault::Conflict | Fault::Internal(_) | Fault::Unavailable { .. }),
    ) = error
    {
        return Err(Error::Fault(fault));
    }
    let problem = Problem::from(error);
    let code = problem.query_error();
    let code = code.as_deref().and_then(|told| told.split(';').next());
    let code =
        code.map_or_else(|| problem.code(haechi_wire::Protocol::Json10).to_owned(), str::to_owned);
    Ok(BatchResultErrorEntry { id, sender_fault: true, code, message: Some(problem.message()) })
}
