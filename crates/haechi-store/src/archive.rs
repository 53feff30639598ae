//! The logical export format: one format for backups and for moving between engines.
//!
//! ```text
//! header   "HAECHIKV" (8)  version u32 = 1  revision u64
//! record*  'R' (1)  length u32  body (length bytes)
//!            body: create_rev u64  mod_rev u64  version u64  key length u32  key  value
//! footer   'E' (1)  count u64  SHA-256 (32) of everything before the digest
//! ```
//! Integers are big-endian. Records rise strictly by key; nothing follows the footer. The digest
//! finds damage and truncation, not forgery: values are sealed by the layer above.

use std::{
    io::{self, Read, Write},
    path::PathBuf,
};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;

use crate::{Key, Kv, Rev, StoreError, Value, limits};

const MAGIC: &[u8; 8] = b"HAECHIKV";
const VERSION: u32 = 1;
const RECORD: u8 = b'R';
const END: u8 = b'E';
/// Three revisions-sized numbers and the key's length.
const FIXED_BYTES: usize = 28;
const BODY_BYTES_MAX: usize = FIXED_BYTES + limits::KEY_BYTES_MAX + limits::TXN_BYTES_MAX;

/// What an export or import moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The revision of all of it.
    pub rev: Rev,
    /// How many rows.
    pub count: u64,
    /// The digest in the footer: the identity of the export.
    pub sha256: [u8; 32],
}

/// Writes an export.
pub struct Writer<W> {
    inner: W,
    digest: Context,
    rev: Rev,
    count: u64,
}

impl<W: Write> Writer<W> {
    /// Begins an export of the store as it stands at `rev`.
    ///
    /// # Errors
    /// `Io` or `DiskFull` if `inner` fails.
    pub fn new(inner: W, rev: Rev) -> Result<Self, StoreError> {
        let mut writer = Self { inner, digest: Context::new(&SHA256), rev, count: 0 };
        writer.put(MAGIC)?;
        writer.put(&VERSION.to_be_bytes())?;
        writer.put(&rev.0.to_be_bytes())?;
        Ok(writer)
    }

    /// Adds a row; its lease is not kept. Rows must come in key order.
    ///
    /// # Errors
    /// `Io` or `DiskFull` if the writer fails.
    pub fn row(&mut self, kv: &Kv) -> Result<(), StoreError> {
        let (key, value) = (kv.key.as_bytes(), kv.value.as_bytes());
        let length = FIXED_BYTES + key.len() + value.len();
        self.put(&[RECORD])?;
        self.put(&length_u32(length)?.to_be_bytes())?;
        for number in [kv.create_rev.0, kv.mod_rev.0, kv.version] {
            self.put(&number.to_be_bytes())?;
        }
        self.put(&length_u32(key.len())?.to_be_bytes())?;
        self.put(key)?;
        self.put(value)?;
        self.count += 1;
        Ok(())
    }

    /// Writes the footer and flushes.
    ///
    /// # Errors
    /// `Io` or `DiskFull` if the writer fails.
    pub fn finish(mut self) -> Result<Summary, StoreError> {
        let count = self.count;
        self.put(&[END])?;
        self.put(&count.to_be_bytes())?;
        let sha256 = sha256(&self.digest);
        self.inner.write_all(&sha256).and_then(|()| self.inner.flush()).map_err(failed)?;
        Ok(Summary { rev: self.rev, count, sha256 })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.update(bytes);
        self.inner.write_all(bytes).map_err(failed)
    }
}

/// Reads an export and checks it. Do not act on the rows before [`Reader::finish`] has returned
/// well: only then is the export known to be whole.
pub struct Reader<R> {
    inner: R,
    digest: Context,
    rev: Rev,
    count: u64,
    last: Option<Key>,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// `Archive` if this is no export of a known version; `Io` if `inner` fails.
    pub fn new(inner: R) -> Result<Self, StoreError> {
        let mut reader =
            Self { inner, digest: Context::new(&SHA256), rev: Rev::ZERO, count: 0, last: None };
        if reader.array::<8>()? != *MAGIC {
            return Err(damaged("it does not begin as one"));
        }
        let version = u32::from_be_bytes(reader.array()?);
        if version != VERSION {
            return Err(damaged(format!("version {version}, this program reads {VERSION}")));
        }
        reader.rev = Rev(u64::from_be_bytes(reader.array()?));
        Ok(reader)
    }

    /// The revision of all rows.
    #[must_use]
    pub fn rev(&self) -> Rev {
        self.rev
    }

    /// The next row, or `None` at the footer, which [`Reader::finish`] checks.
    ///
    /// # Errors
    /// `Archive` if the input is truncated or damaged; `Io` if the reader fails.
    pub fn next_row(&mut self) -> Result<Option<Kv>, StoreError> {
        match self.array::<1>()? {
            [RECORD] => self.record().map(Some),
            [END] => Ok(None),
            [tag] => Err(damaged(format!("record {} has tag {tag:#04x}", self.count + 1))),
        }
    }

    /// Checks the footer, after `next_row` has returned `None`.
    ///
    /// # Errors
    /// `Archive` if count or digest differ or anything follows; `Io` if the reader fails.
    pub fn finish(mut self) -> Result<Summary, StoreError> {
        let count = u64::from_be_bytes(self.array()?);
        if count != self.count {
            return Err(damaged(format!("{} rows, the footer says {count}", self.count)));
        }
        let expected = sha256(&self.digest);
        if self.array::<32>()? != expected {
            return Err(damaged("its SHA-256 does not match"));
        }
        if self.inner.read(&mut [0]).map_err(failed)? != 0 {
            return Err(damaged("something follows its end"));
        }
        Ok(Summary { rev: self.rev, count, sha256: expected })
    }

    fn record(&mut self) -> Result<Kv, StoreError> {
        let row = self.count + 1;
        let length = u32::from_be_bytes(self.array()?) as usize;
        if !(FIXED_BYTES..=BODY_BYTES_MAX).contains(&length) {
            return Err(damaged(format!("row {row} has a length of {length} bytes")));
        }
        let create_rev = Rev(u64::from_be_bytes(self.array()?));
        let mod_rev = Rev(u64::from_be_bytes(self.array()?));
        let version = u64::from_be_bytes(self.array()?);
        let key_length = u32::from_be_bytes(self.array()?) as usize;
        let value_length = (length - FIXED_BYTES).checked_sub(key_length);
        let (1..=limits::KEY_BYTES_MAX, Some(value_length)) = (key_length, value_length) else {
            return Err(damaged(format!("row {row} has a key of {key_length} bytes")));
        };
        let key = Key::new(self.bytes(key_length)?);
        let value = Value::new(self.bytes(value_length)?);
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(damaged(format!("row {row} is out of order")));
        }
        if create_rev == Rev::ZERO || create_rev > mod_rev || mod_rev > self.rev || version == 0 {
            return Err(damaged(format!("row {row} has impossible revisions")));
        }
        self.last = Some(key.clone());
        self.count = row;
        Ok(Kv { key, value, create_rev, mod_rev, version, lease: None })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: usize) -> Result<Bytes, StoreError> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes.into())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.inner.read_exact(bytes).map_err(failed)?;
        self.digest.update(bytes);
        Ok(())
    }
}

fn sha256(digest: &Context) -> [u8; 32] {
    let mut out = [0; 32];
    // INVARIANT: SHA-256 makes 32 bytes.
    out.copy_from_slice(digest.clone().finish().as_ref());
    out
}

fn length_u32(length: usize) -> Result<u32, StoreError> {
    u32::try_from(length).map_err(|_| StoreError::TooManyBytes { bytes: length })
}

fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Archive { detail: detail.into() }
}

fn failed(source: io::Error) -> StoreError {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it is cut short"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::DiskFull { path: PathBuf::from("the export") }
        }
        _ => StoreError::Io { path: PathBuf::from("export or import"), source },
    }
}
