//! Logs of functions: a file each, and the one before it.
//!
//! ```text
//! <folder>/logs/<account>/<region>/<function>.log
//! <folder>/logs/<account>/<region>/<function>.log.1     the one before, once it was full
//! ```

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::reference::Reference;

/// Bytes that an invocation may log; the rest is left out.
const INVOCATION_MAX: usize = 1 << 20;

/// Bytes after which a file is full.
const FILE_MAX: u64 = 8 << 20;

/// Bytes of the log's end that the caller of an invocation gets (API Reference, Invoke).
const TAIL: usize = 4096;

/// Where the log of a function lies, in the folder of functions.
pub fn log_file(folder: &Path, account: &str, region: &str, function: &str) -> PathBuf {
    folder.join("logs").join(account).join(region).join(format!("{function}.log"))
}

/// Where the log lies that was full before.
pub fn log_file_before(file: &Path) -> PathBuf {
    file.with_extension("log.1")
}

/// The log of an invocation.
pub(crate) struct Log {
    file: Option<File>,
    left: usize,
    cut: bool,
    tail: VecDeque<u8>,
}

impl Log {
    /// Opens the log of a function. An invocation whose log cannot be written goes on.
    pub(crate) fn open(folder: &Path, reference: &Reference) -> Log {
        let path = log_file(folder, &reference.account, &reference.region, &reference.name);
        let file = open(&path);
        if let Err(error) = &file {
            tracing::warn!(%error, path = %path.display(), "a function's log cannot be written");
        }
        Log { file: file.ok(), left: INVOCATION_MAX, cut: false, tail: VecDeque::new() }
    }

    /// What the function says.
    pub(crate) fn said(&mut self, bytes: &[u8]) {
        let (kept, over) = bytes.split_at(bytes.len().min(self.left));
        self.left -= kept.len();
        self.write(kept);
        if !over.is_empty() && !self.cut {
            self.cut = true;
            self.write(
                b"\n(haechi) The log of this invocation is too long; the rest is left out.\n",
            );
        }
    }

    /// What Lambda says.
    pub(crate) fn line(&mut self, line: &str) {
        if self.tail.back().is_some_and(|last| *last != b'\n') {
            self.write(b"\n");
        }
        self.write(line.as_bytes());
        self.write(b"\n");
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file
            && file.write_all(bytes).is_err()
        {
            self.file = None;
        }
        let from = bytes.len().saturating_sub(TAIL);
        self.tail.extend(bytes.iter().skip(from));
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
    }

    /// Its last four kilobytes.
    pub(crate) fn tail(self) -> Vec<u8> {
        self.tail.into()
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(path).is_ok_and(|file| file.len() > FILE_MAX) {
        fs::rename(path, log_file_before(path))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_the_end_is_kept() {
        let mut log = Log { file: None, left: 10, cut: false, tail: VecDeque::new() };
        log.said(b"0123456789abc");
        log.said(b"def");
        log.line("END");
        let tail = String::from_utf8(log.tail()).unwrap();
        assert!(tail.starts_with("0123456789\n(haechi)"), "{tail}");
        assert!(tail.ends_with("left out.\nEND\n"), "{tail}");
    }
}
