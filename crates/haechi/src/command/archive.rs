//! `haechi backup` and `haechi restore`.
//!
//! A backup is a tar file: `seal.json` and `store` (one consistent snapshot of the records, as
//! sealed as they are on disk). The root key is not in it, and neither is the audit log, which is
//! to be shipped as it grows. A backup is made beside a running server, from a snapshot.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use haechi_crypto::seal::{ROOT_KEY_FILE_NAME, SEAL_FILE_NAME};
use haechi_store_sqlite::SqliteStore;

use crate::Failure;
use crate::cli::ArchiveOptions;
use crate::data::DataDirectory;

/// Name of the store's snapshot in the backup.
const STORE: &str = "store";

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
    haechi_store_sqlite::backup(data.store(), snapshot)?;
    let written = archive(&data, snapshot).and_then(|bytes_path| publish(&bytes_path, target));
    std::fs::remove_file(snapshot)?;
    written?;
    let bytes = std::fs::metadata(target)?.len();
    println!("{}: {bytes} bytes", target.display());
    println!(
        "Keep the root key ({ROOT_KEY_FILE_NAME}, the passphrase or the token) apart from it: without it the backup is noise."
    );
    Ok(ExitCode::SUCCESS)
}

/// Packs the parts beside the snapshot; answers where.
fn archive(data: &DataDirectory, snapshot: &Path) -> Result<std::path::PathBuf, Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = snapshot.with_extension("partial");
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    let mut tar = tar::Builder::new(file);
    tar.append_path_with_name(data.path().join(SEAL_FILE_NAME), SEAL_FILE_NAME)?;
    tar.append_path_with_name(snapshot, STORE)?;
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
    println!(
        "Put the root key back ({}/{ROOT_KEY_FILE_NAME}, unless it is sealed otherwise), then: haechi serve --data {0}",
        path.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn unpack(file: &Path, unpacked: &Path, data: &DataDirectory) -> Result<(), Failure> {
    let damaged = |error: &dyn std::fmt::Display| -> Failure {
        format!("{} is no backup of haechi, or damaged: {error}", file.display()).into()
    };
    let source = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut archive = tar::Archive::new(source);
    let mut seal = Vec::new();
    let mut store = false;
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let name = entry.path().map_err(|error| damaged(&error))?.into_owned();
        if name == Path::new(SEAL_FILE_NAME) {
            entry.take(SEAL_BYTES_MAX).read_to_end(&mut seal).map_err(|error| damaged(&error))?;
        } else if name == Path::new(STORE) {
            let mut out = File::create(unpacked)?;
            std::io::copy(&mut entry, &mut out).map_err(|error| damaged(&error))?;
            out.sync_all()?;
            store = true;
        }
    }
    if seal.is_empty() || !store {
        return Err(damaged(&"a part is missing"));
    }
    SqliteStore::restore(unpacked, data.store())?;
    // Last: a directory with a seal is one that `serve` takes for whole.
    crate::data::write_private(&data.path().join(SEAL_FILE_NAME), &seal)?;
    Ok(())
}
