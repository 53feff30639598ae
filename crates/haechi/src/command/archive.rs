//! `haechi backup` and `haechi restore`.
//!
//! A backup is a tar file: `seal.json` and the records as sealed as they are on disk, at one
//! revision: `store` (a snapshot of the embedded store), or `export` (of etcd). Either becomes an
//! embedded store when it is restored; `haechi migrate` takes it to etcd. The root key is not in it, and neither is the audit log, which is
//! to be shipped as it grows. A backup is made beside a running server, from a snapshot.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use haechi_core::{Clock, SystemClock};
use haechi_crypto::SealConfig;
use haechi_crypto::seal::SEAL_FILE_NAME;
use haechi_store_sqlite::SqliteStore;

use crate::Failure;
use crate::cli::ArchiveOptions;
use crate::data::DataDirectory;
use crate::keeper::root_key_file;
use crate::storage::Storage;

/// Name of the store's snapshot in the backup.
const STORE: &str = "store";

/// Name of what was exported from etcd.
const EXPORT: &str = "export";

/// Snapshots that a backup takes until it has one that no change of `seal.json` fell into.
const SNAPSHOTS_MAX: u32 = 8;

/// Bytes of `seal.json`, at most.
const SEAL_BYTES_MAX: u64 = 64 * 1024;

/// Writes a backup to a new file.
///
/// # Errors
/// If the file exists, or anything cannot be read or written. There is no backup file then.
pub fn backup(options: ArchiveOptions) -> Result<ExitCode, Failure> {
    let data = DataDirectory::existing(options.data.data)?;
    let target = &options.file;
    if target.exists() {
        return Err(format!("{} exists: name a new file", target.display()).into());
    }
    let mut snapshot = target.as_os_str().to_owned();
    snapshot.push(".snapshot");
    let snapshot = Path::new(&snapshot);
    let storage = Storage::of(&data)?;
    let name = if storage.is_shared() { EXPORT } else { STORE };
    let written = snapshot_and_seal(&data, &storage, snapshot)
        .and_then(|seal| archive(&seal, snapshot, name))
        .and_then(|partial| publish(&partial, target));
    // Why there is no backup matters more than that its parts cannot be removed.
    let removed = std::fs::remove_file(snapshot);
    written?;
    removed?;
    let bytes = std::fs::metadata(target)?.len();
    println!("{}: {bytes} bytes", target.display());
    println!(
        "Keep the root key (its file, the passphrase, the token or the shares) apart from it: without it the backup is noise."
    );
    Ok(ExitCode::SUCCESS)
}

/// Takes the snapshot, and the `seal.json` that belongs to it: one that was replaced meanwhile (by a
/// new domain key, or a new root key) may need rows that the snapshot does not have.
fn snapshot_and_seal(
    data: &DataDirectory,
    storage: &Storage,
    snapshot: &Path,
) -> Result<Vec<u8>, Failure> {
    let path = data.path().join(SEAL_FILE_NAME);
    let mut seal = std::fs::read(&path)?;
    for _ in 0..SNAPSHOTS_MAX {
        match storage {
            Storage::Embedded => haechi_store_sqlite::backup(data.store(), snapshot)?,
            Storage::Etcd(_) => export(data, storage, snapshot)?,
        };
        let after = std::fs::read(&path)?;
        if after == seal {
            return Ok(seal);
        }
        seal = after;
    }
    Err("seal.json is being replaced again and again: try again later".into())
}

/// Writes what etcd holds.
fn export(data: &DataDirectory, storage: &Storage, snapshot: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let file =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(snapshot)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = storage.open(data, &clock).await?;
        let exported = store.export(Box::new(file)).await;
        store.close().await?;
        exported.map(|_| ()).map_err(Failure::from)
    })
}

/// Makes an embedded store of what was exported.
fn import(data: &DataDirectory, exported: &Path) -> Result<(), Failure> {
    let file = File::open(exported)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Storage::Embedded.open(data, &clock).await?;
        let imported = store.import(Box::new(file)).await;
        store.close().await?;
        imported.map(|_| ()).map_err(Failure::from)
    })
}

/// Packs the parts beside the snapshot; answers where.
fn archive(seal: &[u8], snapshot: &Path, name: &str) -> Result<std::path::PathBuf, Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = snapshot.with_extension("partial");
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    let mut tar = tar::Builder::new(file);
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(seal.len())?);
    header.set_mode(0o600);
    tar.append_data(&mut header, SEAL_FILE_NAME, seal)?;
    tar.append_path_with_name(snapshot, name)?;
    tar.into_inner()?.sync_all()?;
    Ok(path)
}

fn publish(partial: &Path, target: &Path) -> Result<(), Failure> {
    // A link, unlike a rename, does not write over what someone put there meanwhile.
    let linked = std::fs::hard_link(partial, target);
    std::fs::remove_file(partial)?;
    Ok(linked?)
}

/// Makes a data directory of a backup.
///
/// # Errors
/// If the directory holds data, or the backup is damaged. The directory holds no store then.
pub fn restore(options: ArchiveOptions) -> Result<ExitCode, Failure> {
    let path = options.data.data.map_or_else(crate::config::data_directory, Ok)?;
    let was_there = path.exists();
    let data = DataDirectory::open_or_create(&path)?;
    if data.store().exists() || data.path().join(SEAL_FILE_NAME).exists() {
        return Err(
            format!("{} holds data already: name an empty directory", path.display()).into()
        );
    }
    let unpacked = data.path().join("restore.partial");
    let restored = unpack(&options.file, &unpacked, &data);
    if unpacked.exists() {
        std::fs::remove_file(&unpacked)?;
    }
    if restored.is_err() && !was_there {
        std::fs::remove_dir_all(data.path())?;
    }
    restored?;
    println!("{} is restored.", path.display());
    let seal = SealConfig::load(data.path())?;
    if let Some(file) = seal.and_then(|seal| root_key_file(data.path(), &seal)) {
        println!("Put its root key back, as {}.", file.display());
    }
    println!("Then: haechi serve --data {}", path.display());
    Ok(ExitCode::SUCCESS)
}

fn unpack(file: &Path, unpacked: &Path, data: &DataDirectory) -> Result<(), Failure> {
    let damaged = |error: &dyn std::fmt::Display| -> Failure {
        format!("{} is no backup of haechi, or damaged: {error}", file.display()).into()
    };
    let source = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut archive = tar::Archive::new(source);
    let mut seal = Vec::new();
    let mut store = None;
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let name = entry.path().map_err(|error| damaged(&error))?.into_owned();
        if name == Path::new(SEAL_FILE_NAME) {
            entry.take(SEAL_BYTES_MAX).read_to_end(&mut seal).map_err(|error| damaged(&error))?;
        } else if name == Path::new(STORE) || name == Path::new(EXPORT) {
            let mut out = File::create(unpacked)?;
            std::io::copy(&mut entry, &mut out).map_err(|error| damaged(&error))?;
            out.sync_all()?;
            store = Some(name == Path::new(EXPORT));
        }
    }
    let Some(is_export) = store.filter(|_| !seal.is_empty()) else {
        return Err(damaged(&"a part is missing"));
    };
    if is_export {
        if let Err(error) = import(data, unpacked) {
            // It was not there before.
            let _ = std::fs::remove_dir_all(data.store());
            return Err(damaged(&error));
        }
    } else {
        SqliteStore::restore(unpacked, data.store())?;
    }
    // Last: a directory with a seal is one that `serve` takes for whole.
    crate::data::write_private(&data.path().join(SEAL_FILE_NAME), &seal)?;
    Ok(())
}
