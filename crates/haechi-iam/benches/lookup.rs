//! The cost of turning an access key id into its caller when nothing has changed: part of every
//! request. The floor is one look into a hash map of the same ids behind a lock, in the same run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot set itself up has nothing to measure"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use haechi_core::{AccountId, Handle, Identities, Operation};
use haechi_iam::Iam;
use haechi_iam_model::ops::{CreateAccessKey, CreateUser};
use haechi_iam_model::shapes::{CreateAccessKeyRequest, CreateUserRequest};
use haechi_testkit::Kit;
use tokio::runtime::Runtime;

const ACCOUNT: &str = "123456789012";

async fn call<Op: Operation>(kit: &Kit, iam: &Iam, input: Op::Input) -> Op::Output
where
    Iam: Handle<Op>,
{
    kit.call::<Op, _>(iam, &kit.root(ACCOUNT), input).await.map_err(|_| ()).unwrap()
}

async fn keys(kit: &Kit, iam: &Iam, count: usize) -> Vec<String> {
    iam.create_account(&AccountId::parse(ACCOUNT).unwrap()).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..count {
        let user_name = format!("user-{number}");
        let request = CreateUserRequest { user_name: user_name.clone(), ..Default::default() };
        call::<CreateUser>(kit, iam, request).await;
        let request = CreateAccessKeyRequest { user_name: Some(user_name) };
        let key = call::<CreateAccessKey>(kit, iam, request).await.access_key;
        ids.push(key.access_key_id);
    }
    for id in &ids {
        assert!(iam.credential(id, None).await.unwrap().is_some());
    }
    ids
}

fn lookup(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("lookup");
    for count in [1, 100, 5_000] {
        let kit = runtime.block_on(Kit::new());
        let iam = Iam::new(Arc::clone(&kit.database), kit.env.clone());
        let ids = runtime.block_on(keys(&kit, &iam, count));
        let floor: Mutex<HashMap<String, Arc<u64>>> =
            Mutex::new(ids.iter().map(|id| (id.clone(), Arc::new(0))).collect());
        let mut next = 0;
        let mut id = || {
            next = (next + 1) % ids.len();
            ids[next].as_str()
        };
        group.bench_function(BenchmarkId::new("hash map", count), |bencher| {
            bencher.iter(|| floor.lock().unwrap().get(black_box(id())).map(Arc::clone));
        });
        let mut next = 0;
        let mut id = || {
            next = (next + 1) % ids.len();
            ids[next].as_str()
        };
        // One runtime entry for many lookups, as in a server; a warm lookup never waits.
        group.bench_function(BenchmarkId::new("credential", count), |bencher| {
            bencher.iter_custom(|times| {
                runtime.block_on(async {
                    let start = std::time::Instant::now();
                    for _ in 0..times {
                        black_box(iam.credential(black_box(id()), None).await.unwrap());
                    }
                    start.elapsed()
                })
            });
        });
        let now = kit.env.now();
        let found = runtime.block_on(iam.credential(&ids[0], None)).unwrap().unwrap();
        group.bench_function(BenchmarkId::new("used", count), |bencher| {
            bencher.iter(|| iam.used(black_box(&found.caller), "kms", &kit.region, now));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(1))
        .warm_up_time(std::time::Duration::from_millis(300));
    targets = lookup
}
criterion_main!(benches);
