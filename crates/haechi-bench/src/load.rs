//! Closed loop: each connection sends its next request when it has the last answer. That finds out
//! how much a server can do, and says little of how long one waits for it.
//!
//! With `--rate`, open loop: requests fall due at random times (a Poisson process, from a fixed
//! seed) whatever the server does, and each is timed from when it fell due, so that a request that
//! had to wait for its connection counts with all its waiting.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use tokio::task::LocalSet;

use crate::connection::{Connection, Connector};
use crate::request::{Requests, Service};
use crate::target::{Target, read};
use crate::{Failure, cpu};

/// Options of `load`.
#[derive(Args)]
pub struct Options {
    /// The target file that `prepare` wrote.
    #[arg(long)]
    target: PathBuf,
    /// Another server than the target's own (the floor): its ready file.
    #[arg(long)]
    server: Option<PathBuf>,
    /// `Encrypt`, `Decrypt`, `GenerateDataKey`, or a call that `calls` made: `Sign RSA_2048`.
    #[arg(long)]
    operation: String,
    /// Requests a second, to be asked whether or not answers come; without it, as fast as they do.
    #[arg(long)]
    rate: Option<f64>,
    /// Ask for the first keys of the target only, so many.
    #[arg(long)]
    keys: Option<usize>,
    /// Over TLS 1.3.
    #[arg(long)]
    tls: bool,
    /// Connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds before the clock runs.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Requests that are signed beforehand.
    #[arg(long, default_value_t = 8192)]
    pool: usize,
    /// The server's process, to be asked for its CPU time.
    #[arg(long)]
    pid: Option<u32>,
}

/// What the connections share.
struct Shared {
    pool: Vec<Vec<u8>>,
    next: Cell<usize>,
    counting: Cell<bool>,
    stopping: Cell<bool>,
    latencies_ns: RefCell<Vec<u32>>,
    answer_bytes: Cell<usize>,
    schedule: Option<Schedule>,
}

/// When requests fall due.
struct Schedule {
    gap: Duration,
    next: Cell<Instant>,
    /// State of a linear congruential generator.
    drawn: Cell<u64>,
}

impl Schedule {
    fn new(per_second: f64) -> Schedule {
        let gap = Duration::from_secs_f64(1.0 / per_second);
        Schedule { gap, next: Cell::new(Instant::now()), drawn: Cell::new(1) }
    }

    /// When the next request falls due.
    fn take(&self) -> Instant {
        let due = self.next.get();
        // Knuth's MMIX constants; the upper bits are the good ones.
        let drawn = self.drawn.get().wrapping_mul(6_364_136_223_846_793_005);
        let drawn = drawn.wrapping_add(1_442_695_040_888_963_407);
        self.drawn.set(drawn);
        let uniform = ((drawn >> 32) as f64 + 1.0) / 2.0_f64.powi(32);
        self.next.set(due + self.gap.mul_f64(-uniform.ln()));
        due
    }
}

impl Shared {
    /// Waits until the next request falls due and answers since when it has been; a closed loop
    /// does not wait.
    async fn due(&self) -> Instant {
        let Some(schedule) = &self.schedule else { return Instant::now() };
        let due = schedule.take();
        // No timer is as fine as this; the generator has a core of its own to spin on.
        while Instant::now() < due && !self.stopping.get() {
            tokio::task::yield_now().await;
        }
        due
    }
}

/// Runs a load and prints what it saw.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let target: Target = read(&options.target)?;
    let server = match &options.server {
        Some(server) => read(server)?,
        None => target.ready.clone(),
    };
    let connector = Connector::new(&server, options.tls)?;
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        connections.push(connector.connect().await?);
    }
    let shared = Rc::new(Shared {
        pool: pool(&target, options)?,
        next: Cell::new(0),
        counting: Cell::new(false),
        stopping: Cell::new(false),
        latencies_ns: RefCell::new(Vec::with_capacity(2_000_000)),
        answer_bytes: Cell::new(0),
        schedule: options.rate.map(Schedule::new),
    });
    let local = LocalSet::new();
    let asking: Vec<_> = connections
        .into_iter()
        .map(|connection| local.spawn_local(ask(Rc::clone(&shared), connection)))
        .collect();
    let measured = local.run_until(measure(options, &shared)).await?;
    local.await;
    for ended in asking {
        ended.await??;
    }
    println!("{measured}");
    Ok(())
}

async fn ask(shared: Rc<Shared>, mut connection: Connection) -> Result<(), Failure> {
    loop {
        let due = shared.due().await;
        if shared.stopping.get() {
            return Ok(());
        }
        let next = shared.next.get();
        shared.next.set((next + 1) % shared.pool.len());
        let request = shared.pool.get(next).ok_or("the pool is empty")?;
        let answer = connection.call(request).await?;
        if !answer.is_ok() {
            return Err(format!("a call was refused: {}", answer.text()).into());
        }
        shared.answer_bytes.set(answer.body.len());
        if shared.counting.get() {
            let took = u32::try_from(due.elapsed().as_nanos()).unwrap_or(u32::MAX);
            shared.latencies_ns.borrow_mut().push(took);
        }
    }
}

async fn measure(options: &Options, shared: &Shared) -> Result<serde_json::Value, Failure> {
    let threads = || options.pid.map_or_else(|| Ok(Default::default()), cpu::by_thread);
    tokio::time::sleep(Duration::from_secs_f64(options.warm_up)).await;
    let (before, own_before) = (threads()?, cpu::by_thread(std::process::id())?);
    let began = Instant::now();
    shared.counting.set(true);
    tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
    shared.counting.set(false);
    let seconds = began.elapsed().as_secs_f64();
    let (after, own_after) = (threads()?, cpu::by_thread(std::process::id())?);
    shared.stopping.set(true);
    let mut latencies = shared.latencies_ns.take();
    latencies.sort_unstable();
    let own_ns: u64 = cpu::used(&own_before, &own_after).values().sum();
    Ok(serde_json::json!({
        "requests": latencies.len(),
        "seconds": seconds,
        "p50_us": quantile(&latencies, 0.5),
        "p99_us": quantile(&latencies, 0.99),
        "p999_us": quantile(&latencies, 0.999),
        "answer_bytes": shared.answer_bytes.get(),
        "request_bytes": shared.pool.first().map_or(0, Vec::len),
        "threads_ns": cpu::used(&before, &after),
        "generator_ns": own_ns,
    }))
}

fn quantile(sorted_ns: &[u32], part: f64) -> f64 {
    let at = (sorted_ns.len() as f64 * part) as usize;
    let at = at.min(sorted_ns.len().saturating_sub(1));
    f64::from(sorted_ns.get(at).copied().unwrap_or(0)) / 1000.0
}

/// Requests that differ where the operation lets them: their plaintext and their key.
fn pool(target: &Target, options: &Options) -> Result<Vec<Vec<u8>>, Failure> {
    let (operation, size) = (options.operation.as_str(), options.pool);
    if let Some(call) = target.calls.iter().find(|call| call.name == operation) {
        let mut requests = Requests::to(&target.ready, call.service);
        return Ok(vec![requests.json(&call.operation, &call.body)?]);
    }
    let mut requests = Requests::to(&target.ready, Service::Kms);
    // An odd stride visits the keys in an order that no cache foresees.
    let keys = target.key_ids.len().min(options.keys.unwrap_or(usize::MAX)).max(1);
    (0..size)
        .map(|index| {
            let key_id = target.key_ids.get(index.wrapping_mul(2_654_435_761) % keys);
            let key_id = key_id.ok_or("the target has no key")?;
            let body = match operation {
                "Encrypt" => {
                    let mut plaintext = [b'p'; 32];
                    if let Some(first) = plaintext.first_chunk_mut() {
                        *first = index.to_be_bytes();
                    }
                    let plaintext = STANDARD.encode(plaintext);
                    format!("{{\"KeyId\":\"{key_id}\",\"Plaintext\":\"{plaintext}\"}}")
                }
                "GenerateDataKey" => {
                    format!("{{\"KeyId\":\"{key_id}\",\"KeySpec\":\"AES_256\"}}")
                }
                "Decrypt" => format!("{{\"CiphertextBlob\":\"{}\"}}", target.ciphertext),
                _ => return Err(format!("no load is known for {operation}").into()),
            };
            requests.json(operation, &body)
        })
        .collect()
}
