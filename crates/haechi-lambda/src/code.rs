//! Archives: checked, kept in pieces, unpacked.
//!
//! An archive is longer than a transaction may be, so its pieces are written first, and a function
//! that names them after. Pieces that no function came to name go with the next [`crate::sweep`].

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{Batch, Cx};
use haechi_lambda_model::Error;
use haechi_lambda_model::shapes::FunctionCode;
use haechi_wire::{Fault, SecretBlob};
use zip::ZipArchive;
use zip::read::ZipFile;

use crate::store::{Code, PieceRecord, Place, piece};
use crate::words::{invalid, too_large};
use crate::{Lambda, sweep};

/// Bytes of an archive that comes with a request, at most (quota).
pub(crate) const ZIPPED_MAX: usize = 52_428_800;

/// Bytes of what is in it, at most (quota).
pub(crate) const UNZIPPED_MAX: u64 = 262_144_000;

/// Bytes of all archives of an account in a Region, at most (quota).
pub(crate) const STORAGE_MAX: i64 = 80_530_636_800;

/// Files in it, at most: AWS says nothing, disks do.
const FILES_MAX: usize = 50_000;

/// Bytes of a file's name, and of all of its path, at most: a disk takes no more, less the folder.
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 3072;

/// Bytes of a piece: three of them are well within a transaction.
const PIECE: usize = 256 * 1024;

/// Pieces in a transaction.
const PIECES_AT_ONCE: usize = 3;

fn unreadable() -> Error {
    invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
}

fn empty() -> Error {
    invalid("Uploaded file must be a non-empty zip")
}

/// The archive that a request brings.
pub(crate) fn archive(cx: &Cx, code: FunctionCode) -> Result<SecretBlob, Error> {
    let elsewhere = [&code.s3_bucket, &code.s3_key, &code.s3_object_version, &code.image_uri];
    let is_elsewhere = elsewhere.iter().any(|part| part.is_some());
    match code.zip_file {
        Some(_) if is_elsewhere => Err(invalid(
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        )),
        Some(zip) => Ok(zip),
        None if is_elsewhere => Err(cx.unsupported_parameter("Code without ZipFile").into()),
        None => Err(invalid("Please provide a source for function code.")),
    }
}

/// Checks an archive; answers its digest.
fn check(bytes: &[u8], operation: &str) -> Result<String, Error> {
    if bytes.is_empty() {
        return Err(empty());
    }
    if bytes.len() > ZIPPED_MAX {
        return Err(too_large(ZIPPED_MAX, operation));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| unreadable())?;
    if archive.is_empty() {
        return Err(empty());
    }
    if archive.len() > FILES_MAX {
        return Err(unreadable());
    }
    let (mut size, mut entries) = (0_u64, Vec::with_capacity(archive.len()));
    for number in 0..archive.len() {
        // Not the raw one: also what is encrypted, or compressed in another way, is not readable.
        let file = archive.by_index(number).map_err(|_| unreadable())?;
        let name = file.enclosed_name().ok_or_else(unreadable)?;
        entries.push((name, Entry::of(&file)));
        size = size.saturating_add(file.size());
    }
    if !fit(entries) {
        return Err(unreadable());
    }
    if size >= UNZIPPED_MAX {
        return Err(invalid(format!("Unzipped size must be smaller than {UNZIPPED_MAX} bytes")));
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    Ok(STANDARD.encode(digest))
}

/// What a name in an archive stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Folder,
    File,
    Link,
}

impl Entry {
    fn of<R: Read>(file: &ZipFile<'_, R>) -> Entry {
        match (file.is_dir(), file.is_symlink()) {
            (true, _) => Entry::Folder,
            (false, true) => Entry::Link,
            (false, false) => Entry::File,
        }
    }
}

/// Whether a disk takes all of these names, and none lies in what is no folder. A file that is
/// there twice is the later one.
fn fit(mut entries: Vec<(PathBuf, Entry)>) -> bool {
    // What lies in something comes right behind it, then.
    entries.sort_unstable();
    let is_short = |name: &Path| {
        name.as_os_str().len() <= PATH_MAX && name.iter().all(|part| part.len() <= NAME_MAX)
    };
    let is_named = |(name, entry): &(PathBuf, Entry)| {
        is_short(name) && (*entry == Entry::Folder || name.file_name().is_some())
    };
    let goes = |pair: &[(PathBuf, Entry)]| match pair {
        [(one, entry), (other, next)] if one == other => entry == next && *entry != Entry::Link,
        [(one, entry), (other, _)] => *entry == Entry::Folder || !other.starts_with(one),
        _ => true,
    };
    entries.iter().all(is_named) && entries.windows(2).all(goes)
}

impl Lambda {
    /// Keeps an archive; a function that names it must be written soon.
    pub(crate) async fn keep(&self, cx: &Cx, place: &Place, bytes: &[u8]) -> Result<Code, Error> {
        let sha256 = check(bytes, cx.operation.name)?;
        self.check_storage(cx, bytes.len()).await?;
        let id = cx.env.uuid().map_err(Fault::internal)?.to_string();
        let mut first = Batch::new();
        first.schedule(&sweep::job(place, &id, cx.now()));
        self.database.commit(first).await?;
        let chunks: Vec<&[u8]> = bytes.chunks(PIECE).collect();
        let mut number = 0;
        for some in chunks.chunks(PIECES_AT_ONCE) {
            let mut batch = Batch::new();
            for chunk in some {
                let bytes = ciborium::Value::Bytes(chunk.to_vec());
                let record = PieceRecord { bytes, unknown: BTreeMap::new() };
                batch.create(piece(&id, number), &record);
                number += 1;
            }
            self.database.commit(batch).await?;
        }
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        Ok(Code { id, pieces: number, size, sha256 })
    }

    /// Refuses an archive that is more than the account may keep in a Region (quota).
    async fn check_storage(&self, cx: &Cx, bytes: usize) -> Result<(), Error> {
        let kept = self.code_size(cx).await?;
        if kept.saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX)) > STORAGE_MAX {
            let told = "Code storage limit exceeded.".to_owned();
            return Err(Error::CodeStorageExceededException(told, "User".to_owned()));
        }
        Ok(())
    }

    /// Whether an archive could be kept, without keeping it; answers it as it would be.
    pub(crate) fn weigh(cx: &Cx, bytes: &[u8]) -> Result<Code, Error> {
        let sha256 = check(bytes, cx.operation.name)?;
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        Ok(Code { id: String::new(), pieces: 0, size, sha256 })
    }

    /// The folder with what is in an archive, unpacked if it is not yet.
    pub(crate) async fn unpacked(&self, code: &Code) -> Result<PathBuf, Fault> {
        let folder = self.runner.code_folder(&code.id);
        let mut room = Arc::clone(&self.runner.unpacking).lock_owned().await;
        if folder.is_dir() {
            room.used(&code.id, self.env.now());
            return Ok(folder);
        }
        let bytes = self.archive(code).await?;
        let (target, id, now) = (folder.clone(), code.id.clone(), self.env.now());
        let (root, limit) = (self.runner.code_folder(""), self.runner.options().unpacked_max);
        let unpacked = tokio::task::spawn_blocking(move || {
            let size = unpacked_size(&bytes).map_err(Fault::internal)?;
            room.make(&root, (size, limit), now)?;
            unpack(&bytes, &target).map_err(Fault::internal)?;
            room.taken(&id, size, now);
            Ok::<(), Fault>(())
        });
        unpacked.await.map_err(Fault::internal)??;
        Ok(folder)
    }
}

/// Bytes of what is in an archive, as it says itself; unpacking stops at the limit.
fn unpacked_size(bytes: &[u8]) -> std::io::Result<u64> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(std::io::Error::other)?;
    let mut size = 0_u64;
    for number in 0..archive.len() {
        let file = archive.by_index_raw(number).map_err(std::io::Error::other)?;
        size = size.saturating_add(file.size());
    }
    Ok(size.min(UNZIPPED_MAX))
}

/// Unpacks into a folder that appears when all is there.
fn unpack(bytes: &[u8], folder: &Path) -> std::io::Result<()> {
    let partial = folder.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    fs::create_dir_all(&partial)?;
    open(&partial, 0o755)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(std::io::Error::other)?;
    // Links come last: nothing is written through one.
    let mut links = Vec::new();
    let mut left = UNZIPPED_MAX;
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).map_err(std::io::Error::other)?;
        let Some(name) = file.enclosed_name() else { continue };
        let target = partial.join(name);
        if file.is_dir() {
            make_folders(&partial, &target)?;
            continue;
        }
        if let Some(parent) = target.parent() {
            make_folders(&partial, parent)?;
        }
        if file.is_symlink() {
            let mut text = String::new();
            (&mut file).take(4096).read_to_string(&mut text)?;
            links.push((text, target));
            continue;
        }
        // What an archive says of its sizes need not be true.
        let mut out = fs::File::create(&target)?;
        let written = std::io::copy(&mut (&mut file).take(left), &mut out)?;
        left = left.saturating_sub(written);
        let executable = file.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        open(&target, if executable { 0o755 } else { 0o644 })?;
    }
    for (text, target) in links {
        symlink(text, target)?;
    }
    fs::rename(&partial, folder)
}

fn make_folders(root: &Path, folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for one in folder.ancestors().take_while(|one| *one != root) {
        open(one, 0o755)?;
    }
    Ok(())
}

/// Functions run as users of their own, who must be able to read.
fn open(path: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
