//! Room for unpacked code on this node: the store lies on the same disk, and must never find it full.
//!
//! A small archive may unpack to hundreds of megabytes. So there is a limit to what all unpacked code
//! takes up, and some of the disk is left free whatever the limit says. What was used longest ago goes
//! first, but not what an instance may still have: none lives for an hour.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::{fs, io};

use haechi_wire::{Fault, Timestamp};

/// How long ago code must have been used last to go.
const UNUSED_MS: i64 = 3_600_000;

/// Bytes of the disk that are left free.
const LEFT_FREE: u64 = 512 << 20;

/// What unpacked code takes up, by the ids of archives.
#[derive(Default)]
pub(crate) struct Room {
    folders: HashMap<String, Folder>,
    /// Whether what an earlier run left has been looked at.
    is_known: bool,
}

struct Folder {
    bytes: u64,
    used_ms: i64,
}

impl Room {
    /// Notes that an instance starts with this code.
    pub(crate) fn used(&mut self, id: &str, now: Timestamp) {
        if let Some(folder) = self.folders.get_mut(id) {
            folder.used_ms = now.millis();
        }
    }

    /// Makes room for `bytes` more beneath `root`, of `limit` in all. **Blocks.**
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn make(
        &mut self,
        root: &Path,
        (bytes, limit): (u64, u64),
        now: Timestamp,
    ) -> Result<(), Fault> {
        let full = |source: io::Error| Fault::Unavailable {
            message: "There is no room for the function's code on this machine. Try again in an hour, \
                      or ask the operator for more (lambda.unpacked_mib).",
            source: Box::new(source),
        };
        fs::create_dir_all(root).map_err(full)?;
        self.look(root).map_err(full)?;
        loop {
            let taken: u64 = self.folders.values().map(|folder| folder.bytes).sum();
            let disk = rustix::fs::statvfs(root).map_err(|error| full(error.into()))?;
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if taken.saturating_add(bytes) <= limit && free >= bytes.saturating_add(LEFT_FREE) {
                return Ok(());
            }
            let oldest = self.folders.iter().min_by_key(|(_, folder)| folder.used_ms);
            let unused = oldest.filter(|(_, folder)| folder.used_ms < now.millis() - UNUSED_MS);
            let Some((id, _)) = unused else { return Err(full(io::ErrorKind::StorageFull.into())) };
            let id = id.clone();
            remove(&root.join(&id)).map_err(full)?;
            self.folders.remove(&id);
        }
    }

    /// Notes what was unpacked.
    pub(crate) fn taken(&mut self, id: &str, bytes: u64, now: Timestamp) {
        self.folders.insert(id.to_owned(), Folder { bytes, used_ms: now.millis() });
    }

    /// Forgets what was removed.
    pub(crate) fn freed(&mut self, id: &str) {
        self.folders.remove(id);
    }

    /// Looks at what an earlier run has left, once: no instance of it lives.
    fn look(&mut self, root: &Path) -> io::Result<()> {
        if self.is_known {
            return Ok(());
        }
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Entry::Vacant(unknown) = self.folders.entry(name) {
                unknown.insert(Folder { bytes: size(&entry.path())?, used_ms: i64::MIN });
            }
        }
        self.is_known = true;
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Bytes of all files beneath a folder.
fn size(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.metadata()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += kind.len();
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hours: i64) -> Timestamp {
        Timestamp::from_seconds(hours * 3600)
    }

    fn unpack(room: &mut Room, root: &Path, id: &str, now: Timestamp) -> Result<(), Fault> {
        room.make(root, (10, 25), now)?;
        fs::create_dir(root.join(id)).unwrap();
        fs::write(root.join(id).join("file"), [0; 10]).unwrap();
        room.taken(id, 10, now);
        Ok(())
    }

    #[test]
    fn code_that_was_used_longest_ago_makes_room_and_what_is_used_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (root, mut room) = (folder.path(), Room::default());
        for id in ["a", "b"] {
            unpack(&mut room, root, id, hour(0)).unwrap();
        }
        assert!(unpack(&mut room, root, "c", hour(1)).is_err(), "instances may have both");
        room.used("a", hour(1));
        unpack(&mut room, root, "c", hour(2)).unwrap();
        assert!(root.join("a").is_dir() && !root.join("b").exists());
        assert!(room.make(root, (26, 25), hour(9)).is_err(), "more than there can be");
    }

    #[test]
    fn what_an_earlier_run_left_counts_and_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let mut before = Room::default();
        for id in ["a", "b"] {
            unpack(&mut before, root, id, hour(0)).unwrap();
        }
        let mut room = Room::default();
        unpack(&mut room, root, "c", hour(0)).unwrap();
        assert_eq!(fs::read_dir(root).unwrap().count(), 2);
    }
}
