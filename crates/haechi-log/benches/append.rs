//! Appends a second and CPU time an append: 64 appenders of 900 bytes, each waiting for its answer,
//! as a ratio to bare `write` + `fdatasync` of the same bytes in the same groups.
//!
//! Runs in `HAECHI_BENCH_DIRECTORY` (default: a temporary directory), since the disk decides.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop on its own faults")]

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use haechi_log::{CipherError, FrameCipher, Log, Options};

const APPENDERS: u32 = 64;
const RECORD: usize = 900;
const RUN: Duration = Duration::from_secs(3);

/// AES-256-GCM, the nonce taken from the sequence number in the associated data.
struct Gcm(LessSafeKey);

impl Gcm {
    fn nonce(aad: &[u8]) -> Result<Nonce, CipherError> {
        let sequence = aad.get(4..16).ok_or(CipherError)?;
        Nonce::try_assume_unique_for_key(sequence).map_err(|_| CipherError)
    }
}

impl FrameCipher for Gcm {
    fn seal(&self, aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), CipherError> {
        let start = out.len();
        out.extend_from_slice(plaintext);
        let body = out.get_mut(start..).ok_or(CipherError)?;
        let sealed = self.0.seal_in_place_separate_tag(Self::nonce(aad)?, Aad::from(aad), body);
        out.extend_from_slice(sealed.map_err(|_| CipherError)?.as_ref());
        Ok(())
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut opened = sealed.to_vec();
        let opened = self
            .0
            .open_in_place(Self::nonce(aad)?, Aad::from(aad), &mut opened)
            .map_err(|_| CipherError)?;
        Ok(opened.to_vec())
    }
}

/// CPU seconds of this process, user and system, in steps of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// Appends for a while; returns records, frames and seconds, then CPU seconds.
fn run_log(directory: &Path) -> (u64, u64, f64, f64) {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    let options = Options::new(Arc::new(|| 0));
    let log = Arc::new(Log::open(directory, Arc::new(Gcm(key)), options).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let records = runtime.block_on(async {
        let local = tokio::task::LocalSet::new();
        let appenders: Vec<_> = (0..APPENDERS)
            .map(|_| {
                let log = Arc::clone(&log);
                local.spawn_local(async move {
                    let mut count = 0;
                    while start.elapsed() < RUN {
                        log.append(vec![b'x'; RECORD]).await.unwrap();
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        local.await;
        let mut records = 0_u64;
        for appender in appenders {
            records += appender.await.unwrap();
        }
        records
    });
    let seconds = start.elapsed().as_secs_f64();
    (records, log.head().sequence, seconds, cpu_seconds() - cpu)
}

/// Writes and syncs groups of `bytes`; returns groups and seconds, then CPU seconds.
fn run_bare(directory: &Path, bytes: usize) -> (u64, f64, f64) {
    let mut file = fs::File::create(directory.join("bare")).unwrap();
    let group = vec![b'x'; bytes];
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut groups = 0;
    while start.elapsed() < RUN {
        file.write_all(&group).unwrap();
        file.sync_data().unwrap();
        groups += 1;
    }
    (groups, start.elapsed().as_secs_f64(), cpu_seconds() - cpu)
}

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let directory = env::var_os("HAECHI_BENCH_DIRECTORY");
    let directory = directory.as_ref().map_or(temporary.path(), Path::new);
    let (records, frames, seconds, cpu) = run_log(&directory.join("log"));
    let (records, frames) = (records as f64, frames as f64);
    let group = records / frames;
    println!(
        "log:  {:8.0} appends/s, {:5.2} us CPU an append, {group:.1} records a frame",
        records / seconds,
        cpu * 1e6 / records
    );
    let (groups, bare_seconds, bare_cpu) = run_bare(directory, (group * RECORD as f64) as usize);
    let bare = groups as f64 * group;
    println!(
        "bare: {:8.0} records/s, {:5.2} us CPU a record; the log reaches {:.2} of it",
        bare / bare_seconds,
        bare_cpu * 1e6 / bare,
        records / seconds / (bare / bare_seconds)
    );
}
