//! The sink that trails deliver to: a folder now, a bucket later.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What is delivered.
pub struct Object<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key in it.
    pub key: &'a str,
    /// The content.
    pub content: &'a [u8],
    /// User metadata (`x-amz-meta-…` in S3): names and values.
    pub metadata: &'a [(&'a str, &'a str)],
}

/// Why something was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It cannot go there whatever is tried: the trail shows this code, and what was to be
    /// delivered is passed over.
    #[error("{0}")]
    Refused(&'static str),
    /// It may go there later.
    #[error("a trail's file could not be written: {path}")]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Takes objects. **Blocks**, until they are durable.
pub trait Delivery: Send + Sync + 'static {
    /// Puts an object in its place, over one that is there.
    ///
    /// # Errors
    /// [`DeliveryError`].
    fn put(&self, object: &Object<'_>) -> Result<(), DeliveryError>;
}

/// Delivers to `<root>/<bucket>/<key>`; metadata goes beside it as `<key>.metadata`, one
/// `name: value` a line.
pub struct FolderDelivery {
    root: PathBuf,
}

impl FolderDelivery {
    /// Under this folder, which is made when it is needed.
    pub fn new(root: &Path) -> FolderDelivery {
        FolderDelivery { root: root.to_owned() }
    }
}

impl Delivery for FolderDelivery {
    fn put(&self, object: &Object<'_>) -> Result<(), DeliveryError> {
        let path = self.root.join(object.bucket).join(object.key);
        let metadata: String =
            object.metadata.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let written = (|| {
            if let Some(folder) = path.parent() {
                create_folder(&self.root, folder)?;
            }
            // First: who finds the object finds its metadata too.
            if !metadata.is_empty() {
                write(&metadata_path(&path), metadata.as_bytes())?;
            }
            write(&path, object.content)
        })();
        written.map_err(|source| DeliveryError::Failed { path, source })
    }
}

/// Where the metadata of an object lies.
pub(crate) fn metadata_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".metadata");
    name.into()
}

/// Makes a folder and those above it, durably.
fn create_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|_| folder != root) {
        create_folder(root, above)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(folder)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(above) => File::open(above)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes a file whole or not at all, durably.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    sync_folder(path)
}

/// Delivers nowhere: a server in memory has no folder.
pub struct NoDelivery;

impl Delivery for NoDelivery {
    fn put(&self, _: &Object<'_>) -> Result<(), DeliveryError> {
        Err(DeliveryError::Refused("NoSuchBucket"))
    }
}
