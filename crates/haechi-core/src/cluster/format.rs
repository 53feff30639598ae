//! Which records may be written while programs of different versions write to one store.
//!
//! Fields that a program does not know survive its writes, so a new field needs no gate. What an
//! older program would misread (a new meaning, a new layout) is a new format, and is written only
//! once `/cluster/format` is that high: it rises to what *all* living nodes know, and never falls.
//! A program that knows less does not open the store, and one that runs ends.

use haechi_store::{Cond, Key, Kv, Op, Rev, Store, TxnError};
use haechi_wire::Fault;
use zeroize::Zeroizing;

/// The format of records that every program knows: the CBOR of `crate::database`.
pub const FORMAT: u32 = 1;

/// The row that tells in which format records are written; a number, in the clear.
pub(super) const FORMAT_KEY: &str = "/cluster/format";

/// A format after [`FORMAT`], which a program may know.
pub trait RecordFormat: Send + Sync + 'static {
    /// Its number.
    fn number(&self) -> u32;

    /// The bytes of a record in this format, of those in [`FORMAT`].
    fn write(&self, plain: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>>;

    /// The bytes of a record in [`FORMAT`], of those in this format; as they are, if the record is
    /// of before.
    fn read<'a>(&self, stored: &'a [u8]) -> &'a [u8];
}

/// What a row under [`FORMAT_KEY`] says; 1 where there is none.
pub(super) fn told(row: Option<&Kv>) -> (u32, Rev) {
    let told = row.and_then(|row| {
        serde_json::from_slice(row.value.as_bytes()).ok().map(|format| (format, row.mod_rev))
    });
    told.unwrap_or((FORMAT, Rev::ZERO))
}

async fn look(store: &dyn Store) -> Result<(u32, Rev), Fault> {
    let (rows, _) = store.get(&[Key::from(FORMAT_KEY)], None).await.map_err(Fault::internal)?;
    Ok(told(rows.first().and_then(Option::as_ref)))
}

/// In which format the records of a store are written.
///
/// # Errors
/// If the store fails, or a program that knows formats up to `known` would misread them.
pub(crate) async fn written(store: &dyn Store, known: u32) -> Result<u32, Fault> {
    let (format, _) = look(store).await?;
    if format > known { Err(Fault::internal(too_new(format, known))) } else { Ok(format) }
}

/// Raises the format of a store that no other program writes to; answers which counts.
///
/// # Errors
/// If the store fails.
pub(crate) async fn raise_alone(store: &dyn Store, known: u32) -> Result<u32, Fault> {
    let (format, rev) = look(store).await?;
    if format >= known {
        return Ok(format);
    }
    let (when, row) = (Cond::ModRev(Key::from(FORMAT_KEY), rev), row(known));
    match store.txn(&[when], vec![row]).await {
        Ok(_) => Ok(known),
        Err(TxnError::Conflict(_)) => Ok(format),
        Err(TxnError::Store(error)) => Err(Fault::internal(error)),
    }
}

pub(super) fn row(format: u32) -> Op {
    Op::put(FORMAT_KEY, format.to_string().as_str())
}

pub(super) fn too_new(format: u32, known: u32) -> String {
    format!(
        "the records of this store are written in format {format}, and this program knows formats up to {known}: use a newer version"
    )
}
