//! A cipher for tests, a clock that stands, and helpers to write and read whole logs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::hmac;
use haechi_log::{CipherError, FrameCipher, Log, Options, Reader};

/// Seals with a MAC and a simple mask: enough to tell any change, and deterministic.
pub struct TestCipher(pub u8);

impl TestCipher {
    fn tag(&self, aad: &[u8], masked: &[u8]) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[self.0; 32]);
        hmac::sign(&key, &[aad, masked].concat())
    }
}

impl FrameCipher for TestCipher {
    fn seal(&self, aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), CipherError> {
        let masked: Vec<u8> = plaintext.iter().map(|byte| byte ^ 0xA5).collect();
        out.extend_from_slice(&masked);
        out.extend_from_slice(self.tag(aad, &masked).as_ref());
        Ok(())
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let (masked, tag) = sealed.split_last_chunk::<32>().ok_or(CipherError)?;
        if self.tag(aad, masked).as_ref() != tag {
            return Err(CipherError);
        }
        Ok(masked.iter().map(|byte| byte ^ 0xA5).collect())
    }
}

pub fn cipher() -> Arc<dyn FrameCipher> {
    Arc::new(TestCipher(7))
}

/// Options with a clock that stands at `now` until the test moves it.
pub fn options_at(now: &Arc<AtomicU64>) -> Options {
    let now = Arc::clone(now);
    Options::new(Arc::new(move || now.load(Ordering::Relaxed)))
}

pub fn options() -> Options {
    options_at(&Arc::new(AtomicU64::new(1_440_938_160_000)))
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Appends each record and waits for it, so that each is a frame.
pub fn append_all(log: &Log, records: &[&str]) {
    runtime().block_on(async {
        for record in records {
            log.append(record.as_bytes().to_vec()).await.unwrap();
        }
    });
}

pub fn read_all(directory: &Path) -> Vec<String> {
    let mut reader = Reader::from_start(directory, cipher());
    let mut records = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        records.push(String::from_utf8(record.bytes).unwrap());
    }
    records
}

/// The segment files, in order.
pub fn segments(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    segments.sort();
    segments
}
