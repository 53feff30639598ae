//! What the engine promises beyond the contract: several nodes, shared servers, lost answers, full
//! quotas, compaction, certificates, users.

use std::{
    io::Cursor,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt;
use haechi_conformance::etcd::{Cluster, Setup};
use haechi_store::{Cond, Event, Op, Options, Range, Rev, Store, StoreError, TxnError};
use haechi_store_etcd::{EtcdStore, User};
use haechi_store_mem::MemStore;

use crate::{
    nodes::{blocking, nodes, open, settings},
    proxy::Proxy,
};

async fn cluster(setup: Setup) -> Cluster {
    blocking(|| setup.start()).await
}

async fn put(store: &dyn Store, key: &str, value: &str) -> Result<Rev, TxnError> {
    store.txn(&[], vec![Op::put(key, value)]).await
}

async fn text(store: &dyn Store, key: &str) -> Option<String> {
    let row = store.get(&[key.into()], None).await.unwrap().0.remove(0)?;
    Some(String::from_utf8(row.value.as_bytes().to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_share_a_store_and_prefixes_do_not() {
    let cluster = cluster(Setup::default()).await;
    let (ours, theirs) = (nodes(&cluster, 2, "ours").await, nodes(&cluster, 1, "theirs").await);
    let mut watch = ours[1].watch("/".into(), Rev::ZERO);
    put(&*theirs[0], "/a", "theirs").await.unwrap();
    let lease = ours[0].lease(Duration::from_secs(30)).await.unwrap();
    let op = Op::put_leased("/a", "ours", lease.id);
    let rev = ours[0].txn(&[], vec![op]).await.unwrap();
    let batch = watch.next().await.unwrap().unwrap();
    assert_eq!(batch.rev, rev, "revisions are the same on every node");
    let Event::Put(kv) = &batch.events[0] else { panic!("{batch:?}") };
    assert_eq!((kv.value.as_bytes(), kv.lease), (&b"ours"[..], Some(lease.id)));
    assert_eq!(text(&*ours[1], "/a").await.as_deref(), Some("ours"));
    assert_eq!(text(&*theirs[0], "/a").await.as_deref(), Some("theirs"));
    // A lease is known to every node of its store, and to no other store.
    ours[1].txn(&[Cond::Held(lease.id)], vec![]).await.unwrap();
    ours[1].keep_alive(lease.id).await.unwrap();
    let answer = theirs[0].revoke(lease.id).await;
    assert!(matches!(answer, Err(StoreError::LeaseNotFound { .. })), "{answer:?}");
    ours[1].revoke(lease.id).await.unwrap();
    assert_eq!(text(&*ours[0], "/a").await, None);
    // Opened again it is the same store at the same revision.
    let again = nodes(&cluster, 1, "ours").await;
    let revision = async |store: &dyn Store| store.get(&[], None).await.unwrap().1;
    assert_eq!(revision(&*again[0]).await, revision(&*ours[0]).await);
}

/// Answers are cut off while requests go through: each transaction is done exactly once all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_does_not_lose_or_repeat_a_write() {
    let cluster = cluster(Setup::default()).await;
    let proxy = Proxy::start(&cluster.endpoint(0)).await;
    let mut settings = settings(&cluster, 0);
    settings.endpoints = vec![proxy.url()];
    let store = open(settings).await.unwrap();
    for number in 1..=40_u64 {
        if number % 2 == 0 {
            proxy.lose_answers();
        }
        put(&*store, "/count", &number.to_string()).await.unwrap();
        let row = store.get(&["/count".into()], None).await.unwrap().0.remove(0).unwrap();
        assert_eq!(row.version, number, "done once");
        // A conflict stays one: what was refused does not come later.
        if number % 4 == 0 {
            proxy.lose_answers();
            let ops = vec![Op::put("/count", "refused")];
            let answer = store.txn(&[Cond::Absent("/count".into())], ops).await;
            assert!(matches!(answer, Err(TxnError::Conflict(_))), "{answer:?}");
        }
    }
    assert!(proxy.cuts() >= 30, "{} connections were cut", proxy.cuts());
    for number in 0..10 {
        proxy.lose_answers();
        let deleted = store.txn(&[], vec![Op::delete("/count"), Op::delete("/none")]).await;
        deleted.unwrap();
        put(&*store, "/count", &number.to_string()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_answered_says_where_and_whether_it_may_be_done() {
    let mut cluster = cluster(Setup::default()).await;
    let mut settings = settings(&cluster, 0);
    settings.attempt_timeout = Duration::from_millis(500);
    settings.request_timeout = Duration::from_secs(1);
    let store = open(settings.clone()).await.unwrap();
    put(&*store, "/a", "1").await.unwrap();
    cluster.pause(0);
    let answer = put(&*store, "/a", "2").await;
    let Err(TxnError::Store(error @ StoreError::Unanswered { .. })) = answer else {
        panic!("{answer:?}")
    };
    assert!(error.to_string().contains(&cluster.endpoint(0)), "{error}");
    let answer = store.get(&["/a".into()], None).await;
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
    let mut watch = store.watch("/".into(), Rev(1));
    let answer = watch.next().await.unwrap();
    assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
    cluster.resume(0);
    cluster.kill(0);
    // The first attempt may be sent on what is left of the old connection.
    drop(put(&*store, "/a", "3").await);
    let answer = put(&*store, "/a", "4").await;
    let Err(TxnError::Store(error @ StoreError::Unavailable { .. })) = answer else {
        panic!("it cannot have been sent: {answer:?}")
    };
    assert!(error.to_string().contains("nothing was written"), "{error}");
    let opened = EtcdStore::open(settings).await;
    assert!(matches!(opened, Err(StoreError::Unavailable { .. })));
    cluster.restart(0);
    cluster.wait();
    put(&*store, "/a", "5").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_quota_refuses_writes_and_lets_reads_through() {
    let flags = vec!["--quota-backend-bytes=16777216".to_owned()];
    let cluster = cluster(Setup { flags, ..Setup::default() }).await;
    let store = open(settings(&cluster, 0)).await.unwrap();
    put(&*store, "/kept", "kept").await.unwrap();
    let full = async {
        for number in 0..100 {
            let op = Op::put("/large", vec![number; 900_000]);
            if let Err(TxnError::Store(error)) = store.txn(&[], vec![op]).await {
                return error;
            }
        }
        panic!("90 MB in a quota of 16 MiB")
    };
    let error = full.await;
    assert!(matches!(error, StoreError::QuotaFull { .. }), "{error:?}");
    assert!(error.to_string().contains("alarm disarm"), "{error}");
    assert_eq!(text(&*store, "/kept").await.as_deref(), Some("kept"));
    let answer = put(&*store, "/kept", "changed").await;
    assert!(matches!(answer, Err(TxnError::Store(StoreError::QuotaFull { .. }))), "{answer:?}");
    // What the error and the operator's page say.
    let status = cluster.etcdctl(&[], &["endpoint", "status", "--write-out=json"]).ok();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let revision = status[0]["Status"]["header"]["revision"].to_string();
    cluster.etcdctl(&[], &["compact", &revision]).ok();
    cluster.etcdctl(&[], &["defrag"]).ok();
    cluster.etcdctl(&[], &["alarm", "disarm"]).ok();
    put(&*store, "/kept", "changed").await.unwrap();
    assert_eq!(text(&*store, "/kept").await.as_deref(), Some("changed"));
}

/// etcd lets some in while there is space, has none when it does them, and does them all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writes_that_meet_a_full_quota_together_none_is_done_and_told_as_refused() {
    let flags = vec!["--quota-backend-bytes=16777216".to_owned()];
    let cluster = cluster(Setup { flags, ..Setup::default() }).await;
    let store = open(settings(&cluster, 0)).await.unwrap();
    let writers = (0..16).map(|writer: u8| {
        let store = store.clone();
        async move {
            let mut answers = Vec::new();
            for number in 0..20 {
                let key = format!("/{writer}/{number}");
                let op = Op::put(key.as_str(), vec![writer; 200_000]);
                answers.push((key, store.txn(&[], vec![op]).await));
            }
            answers
        }
    });
    let answers = futures_util::future::join_all(writers).await;
    let mut refused = 0;
    for (key, answer) in answers.into_iter().flatten() {
        let row = store.get(&[key.as_str().into()], None).await.unwrap().0.remove(0);
        match answer {
            Ok(_) => assert!(row.is_some(), "{key} was acknowledged"),
            Err(TxnError::Store(StoreError::QuotaFull { .. })) => {
                refused += 1;
                assert!(row.is_none(), "{key} was refused, and done");
            }
            Err(TxnError::Store(StoreError::Unanswered { .. })) => {}
            Err(other) => panic!("{key}: {other:?}"),
        }
    }
    assert!(refused > 0, "64 MB in a quota of 16 MiB");
    // Small ones, which go together, are refused as those are that go alone.
    let small = (0..32).map(|number| {
        let store = store.clone();
        async move { put(&*store, &format!("/small/{number}"), "small").await }
    });
    for answer in futures_util::future::join_all(small).await {
        assert!(matches!(answer, Err(TxnError::Store(StoreError::QuotaFull { .. }))), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compaction_is_told_and_passes_by_a_watch_that_keeps_up() {
    let cluster = cluster(Setup::default()).await;
    let mut settings = settings(&cluster, 0);
    settings.options = settings.options.with_history(20);
    settings.compact_every = Some(Duration::from_millis(100));
    let store = open(settings).await.unwrap();
    let mut watch = store.watch("/".into(), Rev(1));
    let first = put(&*store, "/a", "first").await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().rev, first);
    let mut revisions = Vec::new();
    for number in 0..200 {
        revisions.push(put(&*store, "/a", &number.to_string()).await.unwrap());
    }
    for revision in revisions {
        assert_eq!(watch.next().await.unwrap().unwrap().rev, revision);
    }
    // Whether etcd has really forgotten: another store's client, with a history without end, is told.
    let mut patient = crate::nodes::settings(&cluster, 0);
    patient.options = patient.options.with_history(u64::MAX);
    patient.compact_every = None;
    let patient = open(patient).await.unwrap();
    let compacted = async {
        loop {
            match patient.get(&["/a".into()], Some(Rev(5))).await {
                Err(StoreError::Compacted { asked: Rev(5), oldest }) => return oldest,
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let oldest = tokio::time::timeout(Duration::from_secs(60), compacted).await.unwrap();
    assert!(oldest > Rev(5));
    assert!(patient.get(&["/a".into()], Some(oldest)).await.is_ok());
    let answer = patient.watch("/".into(), Rev(2)).next().await.unwrap();
    assert!(matches!(answer, Err(StoreError::Compacted { asked: Rev(2), .. })), "{answer:?}");
    // Slots that were swept meanwhile are begun anew.
    put(&*patient, "/b", "1").await.unwrap();
    for number in 0..200 {
        put(&*store, "/a", &number.to_string()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    put(&*patient, "/b", "2").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_takes_the_right_certificates_and_no_others() {
    let cluster = cluster(Setup { tls: true, ..Setup::members(3) }).await;
    let store = open(settings(&cluster, 0)).await.unwrap();
    put(&*store, "/a", "1").await.unwrap();
    assert_eq!(text(&*store, "/a").await.as_deref(), Some("1"));
    let mut nobody = settings(&cluster, 0);
    nobody.request_timeout = Duration::from_secs(2);
    let mut stranger = nobody.clone();
    nobody.tls.as_mut().unwrap().identity = None;
    let other = cluster_ca();
    stranger.tls.as_mut().unwrap().ca = other;
    let mut plain = nobody.clone();
    plain.tls = None;
    for (settings, what) in [(nobody, "no certificate"), (stranger, "another CA")] {
        let Err(error) = EtcdStore::open(settings).await else { panic!("{what}") };
        // What etcd says of a certificate that it wants may be lost with the connection; what is
        // refused here is known.
        let is_told = match &error {
            StoreError::Denied { .. } => true,
            StoreError::Unavailable { .. } => what == "no certificate",
            _ => false,
        };
        assert!(is_told, "{what}: {error:?}");
        assert!(error.to_string().contains("https://127.0.0.1:"), "{what}: {error}");
    }
    let Err(error) = EtcdStore::open(plain).await else { panic!("https without a CA") };
    assert!(error.to_string().contains("no CA is given"), "{error}");
}

/// A CA that signed nothing.
fn cluster_ca() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let files = haechi_conformance::etcd::Certificates::new(folder.path(), &[]);
    std::fs::read(files.ca).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_and_passwords_are_checked_and_tokens_renewed() {
    let mut cluster = cluster(Setup::default()).await;
    for command in [
        "user add root:root's",
        "user add haechi:secret",
        "role add haechi",
        "role grant-permission haechi readwrite haechi/ haechi0",
        "user grant-role haechi haechi",
        "user grant-role root root",
        "auth enable",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        cluster.etcdctl(&[], &words).ok();
    }
    let user = |name: &str, password: &str| {
        Some(User { name: name.to_owned(), password: password.to_owned().into() })
    };
    let mut good = settings(&cluster, 0);
    good.user = user("haechi", "secret");
    let store = open(good.clone()).await.unwrap();
    put(&*store, "/a", "1").await.unwrap();
    for (name, password) in [("haechi", "wrong"), ("nobody", "secret")] {
        let mut bad = good.clone();
        bad.user = user(name, password);
        let Err(error) = EtcdStore::open(bad).await else { panic!("{name} {password}") };
        assert!(matches!(error, StoreError::Denied { .. }), "{error:?}");
    }
    let mut elsewhere = good.clone();
    elsewhere.prefix = "elsewhere".to_owned();
    let Err(error) = EtcdStore::open(elsewhere).await else { panic!("another prefix") };
    assert!(matches!(error, StoreError::Denied { .. }), "{error:?}");
    // A server that starts again has forgotten all tokens: of all who hear so none is refused.
    cluster.restart(0);
    let readers = (0..32).map(|_| {
        let store = store.clone();
        async move {
            for _ in 0..4 {
                store.get(&["/a".into()], None).await.unwrap();
            }
        }
    });
    futures_util::future::join_all(readers).await;
    put(&*store, "/a", "2").await.unwrap();
    assert_eq!(text(&*store, "/a").await.as_deref(), Some("2"));
}

/// A writer that can be read afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// More rows than one page, more bytes than are held back: an archive that is cut off near its end
/// leaves a new store, which then takes the whole one, from another engine and back to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_store_moves_from_another_engine_and_back() {
    let options = || Options::new(|| Duration::from_secs(1));
    let source = MemStore::new(options());
    for number in 0..2500 {
        let op = Op::put(format!("/row/{number:05}"), vec![7; 5000]);
        source.txn(&[], vec![op]).await.unwrap();
    }
    let bytes = Shared::default();
    let exported = source.export(Box::new(bytes.clone())).await.unwrap();
    let bytes = bytes.0.lock().unwrap().clone();
    let cluster = cluster(Setup::default()).await;
    let store = open(settings(&cluster, 0)).await.unwrap();
    let cut = bytes[..bytes.len() - 10].to_vec();
    let answer = store.import(Box::new(Cursor::new(cut))).await;
    assert!(matches!(answer, Err(StoreError::Archive { .. })), "{answer:?}");
    assert_eq!(store.get(&[], None).await.unwrap().1, Rev::ZERO);
    assert!(store.range(Range::all(), 0, None).await.unwrap().kvs.is_empty());
    let imported = store.import(Box::new(Cursor::new(bytes))).await.unwrap();
    assert_eq!(imported, exported);
    assert_eq!(store.get(&[], None).await.unwrap().1, Rev(2500));
    let page = store.range(Range::all(), 0, None).await.unwrap();
    assert_eq!((page.kvs.len(), page.more), (2500, false));
    let back = Shared::default();
    let again = store.export(Box::new(back.clone())).await.unwrap();
    assert_eq!(again.count, 2500);
    let home = MemStore::new(options());
    let back = back.0.lock().unwrap().clone();
    home.import(Box::new(Cursor::new(back))).await.unwrap();
    let rows = home.range(Range::all(), 0, None).await.unwrap().kvs;
    assert!(rows.iter().zip(&page.kvs).all(|(a, b)| (&a.key, &a.value) == (&b.key, &b.value)));
}

/// The servers were set up anew under a node that did not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_replaced_is_noticed() {
    let mut cluster = cluster(Setup::default()).await;
    let early = open(settings(&cluster, 0)).await.unwrap();
    let late = open(settings(&cluster, 0)).await.unwrap();
    let source = MemStore::new(Options::new(|| Duration::from_secs(1)));
    let bytes = Shared::default();
    source.export(Box::new(bytes.clone())).await.unwrap();
    let bytes = bytes.0.lock().unwrap().clone();
    late.import(Box::new(Cursor::new(bytes))).await.unwrap();
    let answer = put(&*early, "/a", "1").await;
    assert!(matches!(answer, Err(TxnError::Store(StoreError::Replaced { .. }))), "{answer:?}");
    put(&*late, "/a", "1").await.unwrap();
    cluster.kill(0);
    cluster.reset(0);
    cluster.wait();
    let answer = put(&*late, "/a", "2").await;
    assert!(matches!(answer, Err(TxnError::Store(StoreError::Replaced { .. }))), "{answer:?}");
}
