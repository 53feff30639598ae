//! From one store to another, row by row: resumable, and verified at the end.
//!
//! The target notes how far it is in the transaction that writes the rows, under [`MARK`]: which
//! state of the source it takes over (its rows' number and digest), and the last row that it has.
//! A transfer that was cut off goes on from there. Revisions and leases stay behind: rows with a
//! lease are somebody's claims, who has to make them anew.

use aws_lc_rs::digest::{Context, SHA256};

use crate::{Cond, Key, Kv, Op, Range, Rev, Store, StoreError, TxnError, limits};

/// Where the target notes how far it is; gone at the end.
pub const MARK: &str = "/transfer";

/// Bytes of rows in one transaction; a row may be longer.
const BYTES_AT_ONCE: usize = limits::TXN_BYTES_MAX / 2;

/// Rows in one transaction, beside the mark.
const ROWS_AT_ONCE: usize = limits::TXN_OPS_MAX - 1;

/// Bytes for what surrounds a row in a transaction.
const ROW_OVERHEAD: usize = 64;

/// What a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// How many rows.
    pub count: u64,
    /// SHA-256 over their keys and values, in order, each with its length before it.
    pub sha256: [u8; 32],
}

/// What a transfer has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// What both stores hold now.
    pub content: Content,
    /// Rows that were written this time; fewer than all when an earlier transfer was gone on with.
    pub written: u64,
}

/// Why a transfer has not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The target holds something that no transfer of this source wrote.
    #[error("the target is not empty: it holds {key} and others. Nothing was written")]
    NotEmpty {
        /// A row of it.
        key: Key,
    },
    /// The source is no more what the transfer began with.
    #[error(
        "the source has changed since the transfer began: empty the target, and begin again with \
         a source that nobody writes to"
    )]
    Changed,
    /// The target does not hold what the source holds.
    #[error("after the transfer the target holds something else than the source: {0}")]
    Differs(&'static str),
    /// A store failed; doing it again goes on.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else writes to the target.
    #[error("somebody else writes to the target: stop what does")]
    Busy,
}

impl From<TxnError> for TransferError {
    fn from(error: TxnError) -> Self {
        match error {
            TxnError::Conflict(_) => TransferError::Busy,
            TxnError::Store(error) => TransferError::Store(error),
        }
    }
}

/// Rows that take part: neither the mark nor claims, nor whatever `skip` says.
fn takes_part(kv: &Kv, skip: &[&str]) -> bool {
    let key = kv.key.as_bytes();
    kv.lease.is_none()
        && key != MARK.as_bytes()
        && !skip.iter().any(|prefix| key.starts_with(prefix.as_bytes()))
}

/// Visits all rows that take part, as they stand at one revision.
async fn visit(
    store: &dyn Store,
    skip: &[&str],
    mut each: impl FnMut(&Kv) + Send,
) -> Result<(), StoreError> {
    let (mut next, mut at): (Option<Range>, Option<Rev>) = (Some(Range::all()), None);
    while let Some(range) = next {
        let page = store.range(range.clone(), PAGE_ROWS, at).await?;
        (next, at) = (page.next(&range), Some(page.rev));
        page.kvs.iter().filter(|kv| takes_part(kv, skip)).for_each(&mut each);
    }
    Ok(())
}

/// Rows read at a time.
const PAGE_ROWS: u32 = 500;

/// What a store holds, but for rows whose keys begin with one of `skip`.
///
/// # Errors
/// If the store fails.
pub async fn content(store: &dyn Store, skip: &[&str]) -> Result<Content, StoreError> {
    let (mut count, mut digest) = (0, Context::new(&SHA256));
    visit(store, skip, |kv| {
        count += 1;
        for part in [kv.key.as_bytes(), kv.value.as_bytes()] {
            digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
    })
    .await?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest.finish().as_ref());
    Ok(Content { count, sha256 })
}

/// Takes over all rows of `from`, which nobody may write to meanwhile, into `to`, but for those
/// whose keys begin with one of `skip`.
///
/// # Errors
/// [`TransferError`].
pub async fn transfer(
    from: &dyn Store,
    to: &dyn Store,
    skip: &[&str],
) -> Result<Transferred, TransferError> {
    let wanted = content(from, skip).await?;
    let mut mark = begin(to, &wanted).await?;
    let mut written = 0;
    let range = Range::all();
    let mut next = Some(match &mark.last {
        Some(last) => range.after(last),
        None => range,
    });
    let mut at = None;
    while let Some(range) = next {
        let page = from.range(range.clone(), PAGE_ROWS, at).await?;
        (next, at) = (page.next(&range), Some(page.rev));
        let rows: Vec<Kv> = page.kvs.into_iter().filter(|kv| takes_part(kv, skip)).collect();
        for part in parts(&rows) {
            written += u64::try_from(part.len()).unwrap_or(0);
            mark.write(to, part).await?;
        }
    }
    let found = content(to, skip).await?;
    if found.count != wanted.count {
        return Err(TransferError::Differs("it has more rows, or fewer"));
    }
    if found != wanted {
        return Err(TransferError::Differs("a row is not the same"));
    }
    if content(from, skip).await? != wanted {
        return Err(TransferError::Changed);
    }
    let key = Key::from(MARK);
    to.txn(&[Cond::ModRev(key.clone(), mark.rev)], vec![Op::delete(key)]).await?;
    Ok(Transferred { content: found, written })
}

/// Rows in parts that fit a transaction.
fn parts(rows: &[Kv]) -> Vec<&[Kv]> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, row) in rows.iter().enumerate() {
        let size = row.key.as_bytes().len() + row.value.as_bytes().len() + ROW_OVERHEAD;
        if index > start && (index - start == ROWS_AT_ONCE || bytes + size > BYTES_AT_ONCE) {
            parts.extend(rows.get(start..index));
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    parts.extend(rows.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

/// How far the target is.
struct Mark {
    content: Content,
    last: Option<Key>,
    rev: Rev,
}

/// Finds the mark of an earlier transfer of the same, or makes one in an empty store.
async fn begin(to: &dyn Store, wanted: &Content) -> Result<Mark, TransferError> {
    let (found, _) = to.get(&[Key::from(MARK)], None).await?;
    if let Some(kv) = found.into_iter().flatten().next() {
        let (head, last) = kv.value.as_bytes().split_at_checked(40).unwrap_or_default();
        if head != wanted.bytes() {
            return Err(TransferError::Changed);
        }
        let last = (!last.is_empty()).then(|| Key::from(last));
        return Ok(Mark { content: *wanted, last, rev: kv.mod_rev });
    }
    if let Some(kv) = to.range(Range::all(), 1, None).await?.kvs.into_iter().next() {
        return Err(TransferError::NotEmpty { key: kv.key });
    }
    let mut mark = Mark { content: *wanted, last: None, rev: Rev::ZERO };
    mark.write(to, &[]).await?;
    Ok(mark)
}

impl Content {
    fn bytes(&self) -> Vec<u8> {
        [&self.count.to_be_bytes()[..], &self.sha256].concat()
    }
}

impl Mark {
    /// Writes rows, and that they are written.
    async fn write(&mut self, to: &dyn Store, rows: &[Kv]) -> Result<(), TransferError> {
        let key = Key::from(MARK);
        if let Some(last) = rows.last() {
            self.last = Some(last.key.clone());
        }
        let last = self.last.as_ref().map(Key::as_bytes).unwrap_or_default();
        let value = [self.content.bytes().as_slice(), last].concat();
        let mut then = vec![Op::put(key.clone(), value)];
        then.extend(rows.iter().map(|kv| Op::put(kv.key.clone(), kv.value.clone())));
        self.rev = to.txn(&[Cond::ModRev(key, self.rev)], then).await?;
        Ok(())
    }
}
