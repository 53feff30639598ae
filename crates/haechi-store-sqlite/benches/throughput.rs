//! Transactions per second with 64 writers of 1 KB rows, and the latency of a point read, of each
//! engine; as a ratio to the floor: the same queue and grouping, but each group is only appended
//! to a file and synced. `cargo bench -p haechi-store-sqlite`, `HAECHI_BENCH_SECONDS` (3) each.
//! `TMPDIR` chooses the disk.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::{
    fs::File,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use haechi_store::{Key, Op, Options, Store};
use haechi_store_mem::MemStore;
use haechi_store_sqlite::SqliteStore;
use tokio::sync::{mpsc, oneshot};

const WRITERS: u64 = 64;
const ROW_BYTES: usize = 1024;
const READS: u64 = 20_000;
const GROUP_MAX: usize = 256;

type Waiting = (Vec<u8>, oneshot::Sender<()>);

/// Appends and syncs what is queued, as the store's writer does.
fn append(mut file: File, mut queue: mpsc::Receiver<Waiting>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP_MAX
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        let bytes: Vec<u8> = group.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        for (_, reply) in group {
            reply.send(()).unwrap();
        }
    }
}

/// Runs `write` from all writers for the time given; transactions per second.
async fn rate<F: Future<Output = ()> + Send>(
    seconds: u64,
    write: impl Fn(u64, u64) -> F + Clone + Send + 'static,
) -> f64 {
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let write = write.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while Instant::now() < end {
                    write(writer, count).await;
                    count += 1;
                    // An engine that never waits would starve the other writers.
                    tokio::task::yield_now().await;
                }
                count
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    total as f64 / begin.elapsed().as_secs_f64()
}

async fn store_rate(seconds: u64, store: Arc<dyn Store>) -> f64 {
    rate(seconds, move |writer, count| {
        let store = store.clone();
        async move {
            let op = Op::put(format!("/bench/{writer:02}/{count:08}"), vec![7; ROW_BYTES]);
            store.txn(&[], vec![op]).await.unwrap();
        }
    })
    .await
}

/// Microseconds of one read of one row, one after the other.
async fn read_micros(store: &dyn Store) -> f64 {
    let begin = Instant::now();
    for count in 0..READS {
        let key = Key::from(format!("/bench/{:02}/{:08}", count % WRITERS, count / WRITERS % 20));
        assert!(store.get(&[key], None).await.unwrap().0.iter().all(Option::is_some));
    }
    begin.elapsed().as_secs_f64() * 1e6 / READS as f64
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let seconds = std::env::var("HAECHI_BENCH_SECONDS").map_or(3, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let options = || Options::new(|| Duration::from_secs(1));

    let (queue, waiting) = mpsc::channel::<Waiting>(1024);
    let file = File::create(dir.path().join("floor")).unwrap();
    let thread = std::thread::spawn(move || append(file, waiting));
    let floor = rate(seconds, move |_, _| {
        let queue = queue.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            queue.send((vec![7; ROW_BYTES], reply)).await.unwrap();
            answer.await.unwrap();
        }
    })
    .await;
    thread.join().unwrap();
    println!("floor   {floor:>9.0} txn/s  1.00  (append + fdatasync, same grouping)");

    let sqlite: Arc<dyn Store> =
        Arc::new(SqliteStore::open(dir.path().join("store"), options()).unwrap());
    let memory: Arc<dyn Store> = Arc::new(MemStore::new(options()));
    for (name, store) in [("sqlite", sqlite), ("memory", memory)] {
        let rate = store_rate(seconds, store.clone()).await;
        let micros = read_micros(&*store).await;
        let ratio = rate / floor;
        println!("{name:<7} {rate:>9.0} txn/s  {ratio:.2}  point read {micros:.1} us");
        store.close().await.unwrap();
    }

    let begin = Instant::now();
    let store = SqliteStore::open(dir.path().join("store"), options()).unwrap();
    let millis = begin.elapsed().as_secs_f64() * 1e3;
    let bytes = store.path().metadata().unwrap().len();
    println!("sqlite  opens {} MB in {millis:.1} ms", bytes >> 20);
}
