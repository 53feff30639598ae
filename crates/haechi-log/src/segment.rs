//! Segment files: their names and which there are.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::LogError;

/// A segment's name: `<first frame, 20 digits>-<start in Unix milliseconds, 13 digits>.log`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) start: u64,
}

impl Segment {
    pub(crate) fn name(&self) -> String {
        format!("{:020}-{:013}.log", self.first, self.start)
    }

    pub(crate) fn path(&self, directory: &Path) -> PathBuf {
        directory.join(self.name())
    }

    fn parse(name: &str) -> Option<Self> {
        let (first, start) = name.strip_suffix(".log")?.split_once('-')?;
        let segment = Self { first: first.parse().ok()?, start: start.parse().ok()? };
        (segment.name() == name && segment.first > 0).then_some(segment)
    }
}

/// All segments in order, and the names of files that are neither segments nor the lock.
pub(crate) fn list(directory: &Path) -> Result<(Vec<Segment>, Vec<String>), LogError> {
    let failed = |source: io::Error| LogError::io("list", directory, source);
    let (mut segments, mut others) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        match Segment::parse(&name) {
            Some(segment) => segments.push(segment),
            None if name == LOCK || name == ROOM => {}
            None => others.push(name),
        }
    }
    segments.sort();
    others.sort();
    Ok((segments, others))
}

/// A file of a moment, which proves that there is room to write.
pub(crate) const ROOM: &str = "room";

/// The file whose lock a writer holds.
pub(crate) const LOCK: &str = "lock";
