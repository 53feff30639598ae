//! The audit log of an installation: haechi-log, sealed under the audit key.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use haechi_cloudtrail::Trust;
use haechi_core::audit::parts;
use haechi_core::{
    AuditError, AuditLog, AuditPosition, AuditReadError, AuditReader, AuditWindow, Clock, Database,
    Visit,
};
use haechi_crypto::{Keyring, Purpose, Random, RootKey};
use haechi_log::{
    Backward, CipherError, FrameCipher, Log, LogError, Options, Position, Reader, Record,
};

use crate::Failure;
use crate::data::DataDirectory;

/// Seals frames under the keyring of a running server.
struct ServerCipher {
    database: Arc<Database>,
    random: Arc<dyn Random>,
}

impl FrameCipher for ServerCipher {
    fn seal(&self, aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), CipherError> {
        let keyring = self.database.keyring();
        keyring
            .seal_into(Purpose::AuditLog, aad, plaintext, &*self.random, out)
            .map_err(|_| CipherError)
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        open(&self.database.keyring(), aad, sealed)
    }
}

fn open(keyring: &Keyring, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
    let plain = keyring.open_for(Purpose::AuditLog, aad, sealed).map_err(|_| CipherError)?;
    Ok(plain.into_inner())
}

/// Opens frames beside a running server: the keyring is read anew when a frame names a key that
/// was not there yet.
pub struct ReaderCipher {
    data: DataDirectory,
    root: RootKey,
    keyring: Mutex<Arc<Keyring>>,
}

impl ReaderCipher {
    /// Of a data directory whose root key is known.
    ///
    /// # Errors
    /// If the keyring cannot be read or does not open.
    pub fn new(data: DataDirectory, root: RootKey) -> Result<ReaderCipher, Failure> {
        let keyring = Mutex::new(Arc::new(load(&data, &root)?));
        Ok(ReaderCipher { data, root, keyring })
    }
}

impl ReaderCipher {
    /// What the server's records say about the deliveries of trails.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn trust(&self) -> Result<Trust, Failure> {
        let keyring = load(&self.data, &self.root)?;
        let mut trust = match crate::storage::known_node_id(&self.data)? {
            Some(node) => Trust::of_node(&node),
            None => Trust::default(),
        };
        let rows = |prefix| crate::storage::peek(&self.data, prefix);
        for row in rows(Trust::KEYS)? {
            let plain = keyring.open_value(row.key.as_bytes(), row.value.as_bytes())?;
            trust.add_key(crate::format::read(plain.expose()))?;
        }
        for row in rows(Trust::CHAINS)? {
            let plain = keyring.open_value(row.key.as_bytes(), row.value.as_bytes())?;
            trust.add_chain(crate::format::read(plain.expose()))?;
        }
        Ok(trust)
    }
}

fn load(data: &DataDirectory, root: &RootKey) -> Result<Keyring, Failure> {
    let rows = crate::storage::peek(data, "/keyring/")?;
    let rows = haechi_core::database::rows_under(root, &rows)?;
    Ok(Keyring::open(root, rows.iter().map(|kv| kv.value.as_bytes()), 0)?)
}

impl FrameCipher for ReaderCipher {
    fn seal(&self, _: &[u8], _: &[u8], _: &mut Vec<u8>) -> Result<(), CipherError> {
        Err(CipherError)
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut keyring = self.keyring.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(plain) = open(&keyring, aad, sealed) {
            return Ok(plain);
        }
        *keyring = Arc::new(load(&self.data, &self.root).map_err(|_| CipherError)?);
        open(&keyring, aad, sealed)
    }
}

/// Bytes of a segment. The last one is checked at every start, so it bounds how long a start takes:
/// some 10 ms.
const SEGMENT_BYTES: u64 = 8 << 20;

/// The log of a server.
pub struct DurableAudit {
    log: Log,
    directory: PathBuf,
    cipher: Arc<dyn FrameCipher>,
    /// The reader of the last delivery, which the next one goes on with: so that no part of the log
    /// is read twice. It stands behind this position.
    forward: Mutex<Option<(AuditPosition, Reader)>>,
}

impl DurableAudit {
    /// Opens the log of a data directory.
    ///
    /// # Errors
    /// If another process has it, or it was tampered with.
    pub fn open(
        data: &DataDirectory,
        database: &Arc<Database>,
        random: &Arc<dyn Random>,
        clock: &Arc<dyn Clock>,
    ) -> Result<DurableAudit, Failure> {
        let cipher: Arc<dyn FrameCipher> =
            Arc::new(ServerCipher { database: Arc::clone(database), random: Arc::clone(random) });
        let clock = Arc::clone(clock);
        let millis = move || u64::try_from(clock.now().millis()).unwrap_or(0);
        let directory = data.audit();
        let options = Options { segment_bytes: SEGMENT_BYTES, ..Options::new(Arc::new(millis)) };
        let log = Log::open(&directory, Arc::clone(&cipher), options)?;
        Ok(DurableAudit { log, directory, cipher, forward: Mutex::new(None) })
    }
}

#[async_trait]
impl AuditLog for DurableAudit {
    fn is_healthy(&self) -> bool {
        self.log.is_healthy()
    }

    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError> {
        match self.log.append(record).await {
            Ok(_) => Ok(()),
            Err(error) => Err(AuditError(Box::new(error))),
        }
    }

    async fn append_all(&self, records: Vec<Vec<u8>>) -> Result<(), AuditError> {
        if !self.log.takes_together(&records) {
            for record in records {
                self.append(record).await?;
            }
            return Ok(());
        }
        match self.log.append_together(records).await {
            Ok(_) => Ok(()),
            Err(error) => Err(AuditError(Box::new(error))),
        }
    }
}

fn unreadable(error: LogError) -> AuditReadError {
    AuditReadError(Box::new(error))
}

const fn position(record: &Record) -> AuditPosition {
    AuditPosition { frame: record.position.frame, index: record.position.index }
}

impl AuditReader for DurableAudit {
    fn newest_first(
        &self,
        before: Option<AuditPosition>,
        window: AuditWindow,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        let before = before.map(|before| Position { frame: before.frame, index: before.index });
        let millis = |time: haechi_wire::Timestamp| u64::try_from(time.millis()).unwrap_or(0);
        let (since, until) = (millis(window.since), millis(window.until));
        let cipher = Arc::clone(&self.cipher);
        let mut reader =
            Backward::new(&self.directory, cipher, before, since, until).map_err(unreadable)?;
        while let Some(record) = reader.next().map_err(unreadable)? {
            if visit(position(&record), parts(&record.bytes).0).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn oldest_first(
        &self,
        after: Option<AuditPosition>,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        let after = after.unwrap_or_default();
        let mut forward = self.forward.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = match forward.take() {
            Some((at, reader)) if at == after => reader,
            _ => self.reader_after(after).map_err(unreadable)?,
        };
        let mut at = after;
        while let Some(record) = reader.next().map_err(unreadable)? {
            let here = position(&record);
            if here <= after {
                continue;
            }
            at = here;
            if visit(here, parts(&record.bytes).0).is_break() {
                break;
            }
        }
        *forward = Some((at, reader));
        Ok(())
    }

    fn end(&self) -> Result<Option<AuditPosition>, AuditReadError> {
        Ok(self.behind_all())
    }
}

impl DurableAudit {
    /// Behind all records of the last frame: known without reading anything, as it is asked for
    /// every second.
    fn behind_all(&self) -> Option<AuditPosition> {
        let frame = self.log.head().sequence;
        (frame > 0).then_some(AuditPosition { frame, index: u32::MAX })
    }

    fn reader_after(&self, after: AuditPosition) -> Result<Reader, LogError> {
        let cipher = Arc::clone(&self.cipher);
        if after.frame == 0 {
            return Ok(Reader::from_start(&self.directory, cipher));
        }
        let start = Position { frame: after.frame, index: 0 };
        match Reader::from_position(&self.directory, Arc::clone(&cipher), start) {
            // The log was moved away and begun anew, or restored without it.
            Err(LogError::NoSuchPosition { .. }) => Ok(Reader::from_start(&self.directory, cipher)),
            other => other,
        }
    }
}

/// Records kept by [`MemoryAudit`].
const MEMORY_RECORDS_MAX: usize = 10_000;

/// The newest records, in memory: `--dev` without a data directory.
#[derive(Default)]
pub struct MemoryAudit {
    records: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    newest: VecDeque<Arc<[u8]>>,
    /// How many there have ever been.
    count: u64,
}

impl MemoryAudit {
    /// The records with their positions, oldest first. Cheap: their bytes are shared.
    fn all(&self) -> Vec<(AuditPosition, Arc<[u8]>)> {
        let kept = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.count - kept.newest.len() as u64 + 1;
        let at = |frame| AuditPosition { frame, index: 0 };
        (first..).map(at).zip(kept.newest.iter().cloned()).collect()
    }
}

impl AuditReader for MemoryAudit {
    fn newest_first(
        &self,
        before: Option<AuditPosition>,
        _: AuditWindow,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        let all = self.all();
        let older =
            all.iter().rev().skip_while(|(at, _)| before.is_some_and(|before| *at >= before));
        for (at, record) in older {
            if visit(*at, parts(record).0) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn oldest_first(
        &self,
        after: Option<AuditPosition>,
        visit: &mut Visit<'_>,
    ) -> Result<(), AuditReadError> {
        for (at, record) in self.all().iter().filter(|(at, _)| Some(*at) > after) {
            if visit(*at, parts(record).0) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl AuditLog for MemoryAudit {
    fn is_healthy(&self) -> bool {
        true
    }

    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError> {
        let mut kept = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.newest.len() >= MEMORY_RECORDS_MAX {
            kept.newest.pop_front();
        }
        kept.newest.push_back(record.into());
        kept.count += 1;
        Ok(())
    }
}
