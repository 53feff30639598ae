//! Where the record of a call goes before its answer leaves, and how records are read again.

use std::ops::ControlFlow;

use async_trait::async_trait;
use haechi_wire::Timestamp;

/// Why a record could not be written. The call it belongs to must then not be answered as done.
#[derive(Debug, thiserror::Error)]
#[error("the audit log cannot be written; no call is answered until it can")]
pub struct AuditError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the audit log cannot be read; `haechi audit verify` tells what is wrong with it")]
pub struct AuditReadError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A record as CloudTrail shows it, and what haechi alone keeps behind it, on a line of its own: of
/// a denial, the request (JSON of [`haechi_policy::RecordedRequest`]), to be explained later.
pub fn parts(record: &[u8]) -> (&[u8], Option<&[u8]>) {
    // CloudTrail's part is JSON without line breaks.
    match record.iter().position(|byte| *byte == b'\n') {
        Some(at) => (record.get(..at).unwrap_or(record), record.get(at + 1..)),
        None => (record, None),
    }
}

/// An append-only log of calls.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Whether the last write succeeded; if not, calls are refused before they do anything.
    fn is_healthy(&self) -> bool;

    /// Appends one CloudTrail record (JSON), which may have a second part ([`parts`]); returns once
    /// it is on disk.
    ///
    /// # Errors
    /// If it cannot be made durable.
    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError>;

    /// Appends the records of one call, in their order; returns once all are on disk. A log that
    /// can writes them at once, so that the call waits for its disk once.
    ///
    /// # Errors
    /// If any cannot be made durable.
    async fn append_all(&self, records: Vec<Vec<u8>>) -> Result<(), AuditError> {
        for record in records {
            self.append(record).await?;
        }
        Ok(())
    }
}

/// Where a record stands in the log; later records have greater positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPosition {
    /// Of the group that was written together; the first is 1.
    pub frame: u64,
    /// In the group.
    pub index: u32,
}

/// Which records a reading is about: a coarse bound that spares reading what is far from it.
/// Records outside may be shown too; their own times decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditWindow {
    /// No record before it is wanted.
    pub since: Timestamp,
    /// No record after it is wanted.
    pub until: Timestamp,
}

/// What a reading does with each record (JSON); [`ControlFlow::Break`] ends the reading.
pub type Visit<'a> = dyn FnMut(AuditPosition, &[u8]) -> ControlFlow<()> + 'a;

/// Reads the records of calls. **Everything here blocks**: call it where waiting is allowed
/// (`spawn_blocking`).
pub trait AuditReader: Send + Sync + 'static {
    /// Shows records from the newest, or the one before `before`, to the oldest.
    ///
    /// # Errors
    /// If the log cannot be read.
    fn newest_first(
        &self,
        before: Option<AuditPosition>,
        window: AuditWindow,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError>;

    /// Shows records from the one after `after`, or from the first, to the newest.
    ///
    /// # Errors
    /// If the log cannot be read.
    fn oldest_first(
        &self,
        after: Option<AuditPosition>,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError>;

    /// Where the newest record stands, or a place behind it and before the next; `None` in an empty
    /// log.
    ///
    /// # Errors
    /// If the log cannot be read.
    fn end(&self) -> Result<Option<AuditPosition>, AuditReadError> {
        let forever = AuditWindow {
            since: Timestamp::from_millis(0),
            until: Timestamp::from_millis(i64::MAX),
        };
        let mut end = None;
        self.newest_first(None, forever, &mut |position, _| {
            end = Some(position);
            ControlFlow::Break(())
        })?;
        Ok(end)
    }
}
