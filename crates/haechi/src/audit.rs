//! The audit log of an installation: haechi-log, sealed under the audit key.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use haechi_core::{AuditError, AuditLog, Clock, Database};
use haechi_crypto::{Keyring, Purpose, Random, RootKey};
use haechi_log::{CipherError, FrameCipher, Log, Options};

use crate::Failure;
use crate::data::DataDirectory;

/// Seals frames under the keyring of a running server.
struct ServerCipher {
    database: Arc<Database>,
    random: Arc<dyn Random>,
}

impl FrameCipher for ServerCipher {
    fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
        let keyring = self.database.keyring();
        keyring
            .seal_for(Purpose::AuditLog, aad, plaintext, &*self.random)
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

fn load(data: &DataDirectory, root: &RootKey) -> Result<Keyring, Failure> {
    let rows = haechi_store_sqlite::peek(data.store(), "/keyring/")?;
    Ok(Keyring::open(root, rows.iter().map(|kv| kv.value.as_bytes()), 0)?)
}

impl FrameCipher for ReaderCipher {
    fn seal(&self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, CipherError> {
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

/// The log of a server.
pub struct DurableAudit {
    log: Log,
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
        let cipher =
            ServerCipher { database: Arc::clone(database), random: Arc::clone(random) };
        let clock = Arc::clone(clock);
        let millis = move || u64::try_from(clock.now().millis()).unwrap_or(0);
        let log = Log::open(&data.audit(), Arc::new(cipher), Options::new(Arc::new(millis)))?;
        Ok(DurableAudit { log })
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
}

/// Records kept by [`MemoryAudit`].
const MEMORY_RECORDS_MAX: usize = 10_000;

/// The newest records, in memory: `--dev` without a data directory.
#[derive(Default)]
pub struct MemoryAudit {
    records: Mutex<VecDeque<Vec<u8>>>,
}

#[async_trait]
impl AuditLog for MemoryAudit {
    fn is_healthy(&self) -> bool {
        true
    }

    async fn append(&self, record: Vec<u8>) -> Result<(), AuditError> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= MEMORY_RECORDS_MAX {
            records.pop_front();
        }
        records.push_back(record);
        Ok(())
    }
}
