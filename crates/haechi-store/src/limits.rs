//! The limits, the same on every engine. etcd's defaults (128 operations, 1.5 MiB a request) leave
//! room for what an adapter adds.

/// Most preconditions, and most operations, in one transaction.
pub const TXN_OPS_MAX: usize = 100;

/// Most bytes in one transaction: all keys and values of its preconditions and operations.
pub const TXN_BYTES_MAX: usize = 1024 * 1024;

/// Most bytes in a key.
pub const KEY_BYTES_MAX: usize = 4096;

/// Most keys in one `get`.
pub const GET_KEYS_MAX: usize = 1000;

/// Most rows in one page; a larger `limit`, and 0, mean this.
pub const PAGE_ROWS_MAX: u32 = 10_000;

/// How many revisions stay readable and watchable unless [`crate::Options::history`] says otherwise.
pub const HISTORY_DEFAULT: u64 = 10_000;

/// The row count that `limit` asks for.
#[must_use]
pub fn page_rows(limit: u32) -> usize {
    let rows = if limit == 0 { PAGE_ROWS_MAX } else { limit.min(PAGE_ROWS_MAX) };
    rows as usize
}
