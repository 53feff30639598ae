//! Looking at a data directory from outside: modes, content, whether anything changed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file or folder below a data directory.
#[derive(Debug)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Permission bits, for example `0o600`.
    pub mode: u32,
}

/// Permission bits of a path.
pub fn mode(path: &Path) -> u32 {
    let metadata = std::fs::symlink_metadata(path)
        .unwrap_or_else(|error| panic!("cannot look at {}: {error}", path.display()));
    metadata.permissions().mode() & 0o7777
}

/// Everything below `folder`, sorted.
pub fn entries(folder: &Path) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_folder = path.is_dir();
            if is_folder {
                folders.push(path.clone());
            }
            // A journal may go away between listing and looking.
            if path.exists() {
                found.push(Entry { mode: mode(&path), is_folder, path });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every file with its whole content: two equal fingerprints, nothing was touched.
pub fn fingerprint(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    entries(folder)
        .into_iter()
        // A server that was killed leaves its socket behind: it has no content.
        .filter(|entry| entry.path.is_file())
        .map(|entry| (entry.path.clone(), (entry.mode, std::fs::read(&entry.path).unwrap())))
        .collect()
}

/// The files below `folder` in which `needle` stands as it is.
pub fn places_of(needle: &[u8], folder: &Path) -> Vec<PathBuf> {
    assert!(needle.len() >= 4, "too short to be found for sure");
    entries(folder)
        .into_iter()
        .filter(|entry| !entry.is_folder)
        .filter(|entry| {
            let content = std::fs::read(&entry.path).unwrap_or_default();
            content.windows(needle.len()).any(|window| window == needle)
        })
        .map(|entry| entry.path)
        .collect()
}
