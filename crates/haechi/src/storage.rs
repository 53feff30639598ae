//! Where the records lie: in the data directory, or in etcd, where several nodes share them.
//!
//! A node whose records lie in etcd notes so in `store.json`, for its next start and for commands
//! that work on the data directory. Its id, which it keeps, is in `node`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use haechi_core::{Clock, Env};
use haechi_store::{Kv, Range, Store};
use haechi_store_etcd::{EtcdStore, Identity, Settings, Tls, User};
use haechi_store_sqlite::SqliteStore;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Failure;
use crate::data::{DataDirectory, write_private};
use crate::stack::store_clock;

/// The file that tells.
const FILE: &str = "store.json";

/// The file with the node's id.
const NODE: &str = "node";

/// Letters and digits of a node's id.
const NODE_LENGTH: usize = 12;

/// How etcd is reached; files are read anew at each start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Etcd {
    /// Client URLs of the members.
    pub endpoints: Vec<String>,
    /// What every key begins with; empty where nobody has said it yet.
    pub prefix: String,
    /// The CA of the members' certificates, PEM.
    pub ca: Option<PathBuf>,
    /// Our certificate, PEM.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Our name, where etcd's authentication is on.
    pub user: Option<String>,
    /// The file with the password.
    pub password_file: Option<PathBuf>,
}

/// Where the records lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In the data directory.
    Embedded,
    /// In etcd.
    Etcd(Etcd),
}

impl Storage {
    /// As a data directory says.
    ///
    /// # Errors
    /// If its `store.json` cannot be read.
    pub fn of(data: &DataDirectory) -> Result<Storage, Failure> {
        let path = data.path().join(FILE);
        match std::fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json)
                .map(Storage::Etcd)
                .map_err(|error| format!("{}: {error}", path.display()).into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Storage::Embedded),
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    /// What is wished for, else what the data directory says; noted there for later.
    ///
    /// # Errors
    /// If the directory has its records elsewhere.
    pub fn settle(wished: Option<&Storage>, data: &DataDirectory) -> Result<Storage, Failure> {
        let noted = Storage::of(data)?;
        let storage = match wished {
            Some(wished) => wished.clone().under(Some(&noted))?,
            None => noted.clone(),
        };
        let path = data.path().display();
        match (&noted, &storage) {
            (Storage::Etcd(_), Storage::Embedded) => Err(format!(
                "the records of {path} lie in etcd: haechi migrate --from etcd --to embedded"
            )
            .into()),
            (Storage::Embedded, Storage::Etcd(_)) if data.store().exists() => Err(format!(
                "the records of {path} lie in it: haechi migrate --from embedded --to etcd"
            )
            .into()),
            _ => {
                if storage != noted {
                    storage.note(data)?;
                }
                Ok(storage)
            }
        }
    }

    /// With the prefix that was noted before, where none is said.
    ///
    /// # Errors
    /// If another was noted: the records lie there.
    pub fn under(self, noted: Option<&Storage>) -> Result<Storage, Failure> {
        let Storage::Etcd(mut etcd) = self else { return Ok(self) };
        let before = match noted {
            Some(Storage::Etcd(before)) => Some(&before.prefix),
            _ => None,
        };
        match before {
            Some(before) if etcd.prefix.is_empty() => etcd.prefix.clone_from(before),
            Some(before) if *before != etcd.prefix => {
                return Err(format!(
                    "the records of this data directory lie under the prefix {before}, not {}",
                    etcd.prefix
                )
                .into());
            }
            None if etcd.prefix.is_empty() => "haechi".clone_into(&mut etcd.prefix),
            _ => {}
        }
        Ok(Storage::Etcd(etcd))
    }

    /// Notes in the data directory that the records lie here.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn note(&self, data: &DataDirectory) -> Result<(), Failure> {
        let path = data.path().join(FILE);
        match self {
            Storage::Etcd(etcd) => Ok(write_private(&path, &serde_json::to_vec_pretty(etcd)?)?),
            Storage::Embedded if path.exists() => Ok(std::fs::remove_file(&path)?),
            Storage::Embedded => Ok(()),
        }
    }

    /// Whether other nodes may write, too.
    pub fn is_shared(&self) -> bool {
        matches!(self, Storage::Etcd(_))
    }

    /// Opens the store.
    ///
    /// # Errors
    /// If it cannot be opened, or a file named for it cannot be read.
    pub async fn open(
        &self,
        data: &DataDirectory,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Storage::Embedded => Ok(Arc::new(SqliteStore::open(data.store(), store_clock(clock))?)),
            Storage::Etcd(etcd) => Ok(Arc::new(EtcdStore::open(etcd.settings(clock)?).await?)),
        }
    }
}

impl Etcd {
    fn settings(&self, clock: &Arc<dyn Clock>) -> Result<Settings, Failure> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let identity = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                Some(Identity { certificate: read(certificate)?, key: Zeroizing::new(read(key)?) })
            }
            (None, None) => None,
            _ => return Err("--etcd-cert and --etcd-key go together".into()),
        };
        let tls = match &self.ca {
            Some(ca) => Some(Tls { ca: read(ca)?, identity, server_name: None }),
            None if identity.is_some() => return Err("--etcd-cert needs --etcd-ca".into()),
            None => None,
        };
        let user = match (&self.user, &self.password_file) {
            (Some(name), Some(file)) => {
                let password = Zeroizing::new(String::from_utf8(read(file)?)?);
                let password = Zeroizing::new(password.trim_end_matches(['\r', '\n']).to_owned());
                Some(User { name: name.clone(), password })
            }
            (None, None) => None,
            _ => return Err("--etcd-user and --etcd-password-file go together".into()),
        };
        let mut settings = Settings::new(self.endpoints.clone(), store_clock(clock));
        settings.prefix.clone_from(&self.prefix);
        (settings.tls, settings.user) = (tls, user);
        Ok(settings)
    }
}

/// The id of the node of a data directory, made when it is first asked for.
///
/// # Errors
/// If the file cannot be read or written.
pub fn node_id(data: &DataDirectory, env: &Env) -> Result<String, Failure> {
    let path = data.path().join(NODE);
    match std::fs::read_to_string(&path) {
        Ok(id) => Ok(id.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let id = env.characters(b"abcdefghijklmnopqrstuvwxyz0123456789", NODE_LENGTH)?;
            write_private(&path, id.as_bytes())?;
            Ok(id)
        }
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// The id of the node of a data directory whose records lie in etcd; none elsewhere.
///
/// # Errors
/// If a file cannot be read.
pub fn known_node_id(data: &DataDirectory) -> Result<Option<String>, Failure> {
    let path = data.path().join(NODE);
    if !Storage::of(data)?.is_shared() || !path.exists() {
        return Ok(None);
    }
    Ok(Some(std::fs::read_to_string(path)?.trim().to_owned()))
}

/// Rows as they stand, beside a server that may be running.
///
/// # Errors
/// If the store cannot be read.
pub fn peek(data: &DataDirectory, prefix: &str) -> Result<Vec<Kv>, Failure> {
    let storage = Storage::of(data)?;
    if storage == Storage::Embedded {
        return Ok(haechi_store_sqlite::peek(data.store(), prefix)?);
    }
    let (data, prefix) = (data.clone(), prefix.to_owned());
    // A runtime of its own, as whoever asks may be in one.
    let reading = std::thread::spawn(move || -> Result<Vec<Kv>, ReadError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let clock: Arc<dyn Clock> = Arc::new(haechi_core::SystemClock);
            let store = storage.open(&data, &clock).await.map_err(|error| error.to_string())?;
            let rows = rows(&*store, Range::prefix(prefix.as_str())).await;
            store.close().await.map_err(|error| error.to_string())?;
            Ok(rows.map_err(|error| error.to_string())?)
        })
    });
    Ok(reading.join().map_err(|_| "reading the store failed")??)
}

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Store(String),
}

impl From<String> for ReadError {
    fn from(text: String) -> Self {
        ReadError::Store(text)
    }
}

/// All rows of a range, as they stand at one revision.
///
/// # Errors
/// If the store cannot be read.
pub async fn rows(store: &dyn Store, range: Range) -> Result<Vec<Kv>, haechi_store::StoreError> {
    let (mut rows, mut next, mut at) = (Vec::new(), Some(range), None);
    while let Some(part) = next {
        let page = store.range(part.clone(), 0, at).await?;
        (next, at) = (page.next(&part), Some(page.rev));
        rows.extend(page.kvs);
    }
    Ok(rows)
}
