//! From one store to another, row by row: resumable, and verified at the end.
//!
//! ```text
//! begin ─► pass ─► pass ─► …          while others write to the source: each pass writes what differs
//!                            └► last pass and finish, once nobody writes: both hold the same
//! ```
//! The source is marked under [`SOURCE`] and the target under [`MARK`] with the same, in every
//! transaction that writes rows. A transfer that was cut off goes on with whatever is there.
//! Revisions and leases stay behind: rows with a lease are somebody's claims, who has to make them
//! anew.

use std::cmp::Ordering;

use aws_lc_rs::digest::{Context, SHA256};

use crate::{Cond, Key, Kv, Op, Range, Rev, Store, StoreError, TxnError, limits};

/// What a target has until the end.
pub const MARK: &str = "/transfer";

/// What a source has from the first transfer on.
pub const SOURCE: &str = "/transfer/source";

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
    /// The target is another source's.
    #[error("the target holds what a transfer from elsewhere has begun: name another, or empty it")]
    Foreign,
    /// Somebody writes to the source.
    #[error("the source has changed meanwhile: stop what writes to it, and do it again")]
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

/// Rows that take part: neither marks nor claims, nor whatever `skip` says.
fn takes_part(kv: &Kv, skip: &[&str]) -> bool {
    let key = kv.key.as_bytes();
    kv.lease.is_none()
        && key != MARK.as_bytes()
        && key != SOURCE.as_bytes()
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
    let mut transfer = Transfer::begin(from, to, skip).await?;
    let written = transfer.pass().await?;
    let content = transfer.finish().await?;
    Ok(Transferred { content, written })
}

/// A transfer that has begun.
pub struct Transfer<'a> {
    from: &'a dyn Store,
    to: &'a dyn Store,
    skip: &'a [&'a str],
    /// Of which source the target is.
    mark: Vec<u8>,
    mark_rev: Rev,
}

impl<'a> Transfer<'a> {
    /// Begins, or goes on with what an earlier one of the same source has done.
    ///
    /// # Errors
    /// If the target holds anything else, or a store fails.
    pub async fn begin(
        from: &'a dyn Store,
        to: &'a dyn Store,
        skip: &'a [&'a str],
    ) -> Result<Transfer<'a>, TransferError> {
        let known = row(from, SOURCE).await?.map(|kv| kv.value.as_bytes().to_vec());
        let found = row(to, MARK).await?;
        if let Some(found) = found {
            if known.as_deref() != Some(found.value.as_bytes()) {
                return Err(TransferError::Foreign);
            }
            let mark = found.value.as_bytes().to_vec();
            return Ok(Transfer { from, to, skip, mark, mark_rev: found.mod_rev });
        }
        if let Some(kv) = to.range(Range::all(), 1, None).await?.kvs.into_iter().next() {
            return Err(TransferError::NotEmpty { key: kv.key });
        }
        let mark = match known {
            Some(mark) => mark,
            None => {
                // What it held when it was first asked is like that of no other source.
                let mark = content(from, skip).await?.bytes();
                from.txn(&[Cond::Absent(Key::from(SOURCE))], vec![Op::put(SOURCE, mark.clone())])
                    .await?;
                mark
            }
        };
        let mut transfer = Transfer { from, to, skip, mark, mark_rev: Rev::ZERO };
        transfer.write(Vec::new()).await?;
        Ok(transfer)
    }

    /// Writes and removes in the target what differs from the source; answers how many rows.
    ///
    /// # Errors
    /// If a store fails, or somebody else writes to the target.
    pub async fn pass(&mut self) -> Result<u64, TransferError> {
        let (mut source, mut target) = (Rows::of(self.from), Rows::of(self.to));
        let (mut one, mut two) = (source.next(self.skip).await?, target.next(self.skip).await?);
        let (mut part, mut written) = (Part::default(), 0);
        while let Some(order) = order(one.as_ref(), two.as_ref()) {
            let op = match (&one, &two) {
                (Some(one), _) if order == Ordering::Less => Some(put(one)),
                (_, Some(two)) if order == Ordering::Greater => Some(Op::delete(two.key.clone())),
                (Some(one), Some(two)) if one.value != two.value => Some(put(one)),
                _ => None,
            };
            if let Some(op) = op {
                let size = size(&op);
                if part.is_full_for(size) {
                    self.write(std::mem::take(&mut part).ops).await?;
                }
                part.add(op, size);
                written += 1;
            }
            if order != Ordering::Greater {
                one = source.next(self.skip).await?;
            }
            if order != Ordering::Less {
                two = target.next(self.skip).await?;
            }
        }
        if !part.ops.is_empty() {
            self.write(part.ops).await?;
        }
        Ok(written)
    }

    /// Compares both stores, which nobody writes to any more, and ends the transfer.
    ///
    /// # Errors
    /// If they do not hold the same, or a store fails.
    pub async fn finish(self) -> Result<Content, TransferError> {
        let wanted = content(self.from, self.skip).await?;
        let found = content(self.to, self.skip).await?;
        if content(self.from, self.skip).await? != wanted {
            return Err(TransferError::Changed);
        }
        if found.count != wanted.count {
            return Err(TransferError::Differs("it has more rows, or fewer"));
        }
        if found != wanted {
            return Err(TransferError::Differs("a row is not the same"));
        }
        let key = Key::from(MARK);
        self.to.txn(&[Cond::ModRev(key.clone(), self.mark_rev)], vec![Op::delete(key)]).await?;
        Ok(found)
    }

    /// Writes rows, if nobody else has written any.
    async fn write(&mut self, mut then: Vec<Op>) -> Result<(), TransferError> {
        let key = Key::from(MARK);
        then.push(Op::put(key.clone(), self.mark.clone()));
        self.mark_rev = self.to.txn(&[Cond::ModRev(key, self.mark_rev)], then).await?;
        Ok(())
    }
}

/// Which of two rows comes first; none when there are none.
fn order(one: Option<&Kv>, two: Option<&Kv>) -> Option<Ordering> {
    match (one, two) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(one), Some(two)) => Some(one.key.cmp(&two.key)),
    }
}

fn put(kv: &Kv) -> Op {
    Op::put(kv.key.clone(), kv.value.clone())
}

async fn row(store: &dyn Store, key: &str) -> Result<Option<Kv>, StoreError> {
    let (found, _) = store.get(&[Key::from(key)], None).await?;
    Ok(found.into_iter().flatten().next())
}

/// Rows one after the other, each page as it stands when it is read.
struct Rows<'a> {
    store: &'a dyn Store,
    page: std::vec::IntoIter<Kv>,
    next: Option<Range>,
}

impl<'a> Rows<'a> {
    fn of(store: &'a dyn Store) -> Rows<'a> {
        Rows { store, page: Vec::new().into_iter(), next: Some(Range::all()) }
    }

    async fn next(&mut self, skip: &[&str]) -> Result<Option<Kv>, StoreError> {
        loop {
            if let Some(kv) = self.page.next() {
                if takes_part(&kv, skip) {
                    return Ok(Some(kv));
                }
                continue;
            }
            let Some(range) = self.next.take() else { return Ok(None) };
            let page = self.store.range(range.clone(), PAGE_ROWS, None).await?;
            self.next = page.next(&range);
            self.page = page.kvs.into_iter();
        }
    }
}

/// What one transaction is to write.
#[derive(Default)]
struct Part {
    ops: Vec<Op>,
    bytes: usize,
}

impl Part {
    fn is_full_for(&self, size: usize) -> bool {
        let bytes = self.bytes + size > BYTES_AT_ONCE;
        !self.ops.is_empty() && (self.ops.len() == ROWS_AT_ONCE || bytes)
    }

    fn add(&mut self, op: Op, size: usize) {
        self.ops.push(op);
        self.bytes += size;
    }
}

fn size(op: &Op) -> usize {
    let value = match op {
        Op::Put { value, .. } => value.as_bytes().len(),
        Op::Delete { .. } => 0,
    };
    op.key().as_bytes().len() + value + ROW_OVERHEAD
}

impl Content {
    fn bytes(&self) -> Vec<u8> {
        [&self.count.to_be_bytes()[..], &self.sha256].concat()
    }
}
