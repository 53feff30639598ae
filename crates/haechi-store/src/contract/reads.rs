//! Reading: rows, ranges, pages, past revisions.

use super::{Open, delete, put, rev, row, row_at, still, text};
use crate::{Key, LeaseId, Op, Range, Rev, StoreError, TxnError, limits};

/// A new row has version 1; a rewrite keeps `create_rev`.
pub async fn a_row_is_read_back_with_its_revisions(open: &Open) {
    let store = open(still());
    let first = put(&*store, "/a", "one").await;
    let kv = row(&*store, "/a").await.unwrap();
    assert_eq!((kv.create_rev, kv.mod_rev, kv.version), (first, first, 1));
    assert_eq!((kv.value.as_bytes(), kv.lease), (&b"one"[..], None));

    put(&*store, "/b", "").await;
    let second = put(&*store, "/a", "two").await;
    let kv = row(&*store, "/a").await.unwrap();
    assert_eq!((kv.create_rev, kv.mod_rev, kv.version), (first, second, 2));
    assert_eq!(kv.value.as_bytes(), b"two");
    assert_eq!(row(&*store, "/b").await.unwrap().value.as_bytes(), b"", "empty is not absent");
}

/// Order and repetition of the keys are kept; absent rows are `None`.
pub async fn get_keeps_the_order_of_its_keys(open: &Open) {
    let store = open(still());
    assert_eq!(store.get(&["/x".into()], None).await.unwrap(), (vec![None], Rev::ZERO));
    put(&*store, "/a", "a").await;
    let last = put(&*store, "/b", "b").await;
    let keys: Vec<Key> = ["/b", "/none", "/a", "/b"].map(Key::from).into();
    let (rows, at) = store.get(&keys, None).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| row.as_ref().map(|kv| kv.key.to_string())).collect();
    assert_eq!(found, [Some("/b".into()), None, Some("/a".into()), Some("/b".into())]);
    assert_eq!(at, last);
}

/// Delete ends a row; the next put creates another.
pub async fn a_row_written_again_after_delete_is_a_new_row(open: &Open) {
    let store = open(still());
    put(&*store, "/a", "1").await;
    put(&*store, "/a", "2").await;
    let deleted = delete(&*store, "/a").await;
    assert_eq!(deleted, Rev(3));
    assert!(row(&*store, "/a").await.is_none());
    let again = put(&*store, "/a", "3").await;
    let kv = row(&*store, "/a").await.unwrap();
    assert_eq!((kv.create_rev, kv.mod_rev, kv.version), (again, again, 1));
}

/// Ranges: bytes decide, the start is in, the end is out, deleted rows are not there.
pub async fn a_range_is_in_byte_order_and_leaves_its_end_out(open: &Open) {
    let store = open(still());
    for key in [&b"b"[..], b"a\xff", b"a", b"a\x00", b"c", b"a/1", b"\xff"] {
        store.txn(&[], vec![Op::put(key, "v")]).await.unwrap();
    }
    delete(&*store, "b").await;
    let keys = async |range: Range| -> Vec<Vec<u8>> {
        let page = store.range(range, 0, None).await.unwrap();
        assert!(!page.more);
        page.kvs.iter().map(|kv| kv.key.as_bytes().to_vec()).collect()
    };
    let a: [&[u8]; 4] = [b"a", b"a\x00", b"a/1", b"a\xff"];
    assert_eq!(keys(Range::prefix("a")).await, a);
    assert_eq!(keys(Range::new("a", "c")).await, a);
    assert_eq!(keys(Range::new("a/", "a0")).await, [b"a/1"]);
    assert_eq!(keys(Range::prefix(vec![0xff])).await, [b"\xff"]);
    assert_eq!(keys(Range::all()).await.len(), 6);
    assert!(keys(Range::new("c", "a")).await.is_empty());
    assert!(keys(Range::new("a", "a")).await.is_empty());
}

/// Paging at one revision gives each row of it once, whatever is written meanwhile.
pub async fn pages_of_one_revision_ignore_later_writes(open: &Open) {
    let store = open(still());
    for number in 0..25 {
        put(&*store, &format!("/p/{number:02}"), "old").await;
    }
    let (mut range, mut at, mut seen) = (Some(Range::prefix("/p/")), None, Vec::new());
    while let Some(now) = range {
        let page = store.range(now.clone(), 10, at).await.unwrap();
        range = page.next(&now);
        at = Some(page.rev);
        assert_eq!(page.more, range.is_some());
        seen.extend(page.kvs);
        put(&*store, "/p/00a", "new").await;
        put(&*store, "/p/24", "new").await;
        put(&*store, "/p/99", "new").await;
        delete(&*store, "/p/15").await;
    }
    let keys: Vec<String> = seen.iter().map(|kv| kv.key.to_string()).collect();
    let expected: Vec<String> = (0..25).map(|number| format!("/p/{number:02}")).collect();
    assert_eq!(keys, expected);
    assert!(seen.iter().all(|kv| kv.value.as_bytes() == b"old"));

    let exact = store.range(Range::prefix("/p/"), 26, None).await.unwrap();
    assert_eq!((exact.kvs.len(), exact.more), (26, false), "a full last page is the last");
}

/// `at` shows each revision as it was, deletes and rewrites included.
pub async fn a_past_revision_reads_as_it_was(open: &Open) {
    let store = open(still());
    let one = put(&*store, "/a", "1").await;
    let two = put(&*store, "/a", "2").await;
    let gone = delete(&*store, "/a").await;
    let other = put(&*store, "/b", "b").await;
    let four = put(&*store, "/a", "4").await;
    let expected = [
        (Rev::ZERO, None),
        (one, Some("1")),
        (two, Some("2")),
        (gone, None),
        (other, None),
        (four, Some("4")),
    ];
    for (at, value) in expected {
        assert_eq!(text(&*store, "/a", Some(at)).await.as_deref(), value, "at {at}");
        let page = store.range(Range::prefix("/a"), 0, Some(at)).await.unwrap();
        assert_eq!((page.kvs.len(), page.rev), (usize::from(value.is_some()), at));
    }
    assert_eq!(row_at(&*store, "/a", Some(two)).await.unwrap().version, 2);
    assert_eq!(store.get(&[], Some(two)).await.unwrap().1, two);
}

/// The last `history` revisions stay readable, not fewer; older ones are refused.
pub async fn history_is_bounded_and_says_so(open: &Open) {
    let store = open(still().with_history(10));
    for number in 1..=30 {
        put(&*store, "/a", &number.to_string()).await;
    }
    for at in 20..=30 {
        assert_eq!(text(&*store, "/a", Some(Rev(at))).await, Some(at.to_string()));
    }
    let Err(StoreError::Compacted { asked, oldest }) =
        store.get(&["/a".into()], Some(Rev(1))).await
    else {
        panic!("revision 1 is readable")
    };
    assert_eq!(asked, Rev(1));
    assert!(oldest > Rev(1) && oldest <= Rev(20), "oldest is {oldest}");
    assert!(text(&*store, "/a", Some(oldest)).await.is_some());
    let page = store.range(Range::all(), 0, Some(Rev(1))).await;
    assert!(matches!(page, Err(StoreError::Compacted { .. })), "{page:?}");
}

/// Pages show one version of each row, however many there are beside it, then and now.
pub async fn a_row_written_many_times_is_on_a_page_once(open: &Open) {
    let store = open(still());
    for key in ["/a", "/b", "/c"] {
        put(&*store, key, "0").await;
    }
    let mut shown = Vec::new();
    for number in 1..=40 {
        let at = match number % 10 {
            0 => delete(&*store, "/b").await,
            _ => put(&*store, "/b", &number.to_string()).await,
        };
        shown.push((at, (number % 10 != 0).then(|| number.to_string())));
    }
    for (at, of_b) in shown {
        let zero = Some("0".to_owned());
        let wanted: Vec<String> = [zero.clone(), of_b, zero].into_iter().flatten().collect();
        let (mut found, mut from) = (Vec::new(), Key::from("/a"));
        loop {
            let range = Range { start: from, ..Range::prefix("/") };
            let page = store.range(range, 1, Some(at)).await.unwrap();
            let Some(kv) = page.kvs.first() else { break };
            found.push(String::from_utf8(kv.value.as_bytes().to_vec()).unwrap());
            from = kv.key.successor();
            if !page.more {
                break;
            }
        }
        assert_eq!(found, wanted, "at {at}");
        let whole = store.range(Range::prefix("/"), 0, Some(at)).await.unwrap();
        assert_eq!(whole.kvs.len(), wanted.len(), "at {at}");
    }
}

/// Forgetting history never touches the present.
pub async fn what_was_compacted_still_reads_as_it_is_now(open: &Open) {
    let store = open(still().with_history(5));
    let created = put(&*store, "/kept", "kept").await;
    put(&*store, "/gone", "gone").await;
    put(&*store, "/back", "1").await;
    delete(&*store, "/gone").await;
    delete(&*store, "/back").await;
    put(&*store, "/back", "2").await;
    for number in 0..200 {
        put(&*store, "/busy", &number.to_string()).await;
    }
    assert_eq!(row(&*store, "/kept").await.unwrap().create_rev, created);
    assert_eq!(text(&*store, "/back", None).await.as_deref(), Some("2"));
    assert_eq!(text(&*store, "/busy", None).await.as_deref(), Some("199"));
    assert!(row(&*store, "/gone").await.is_none());
    assert_eq!(store.range(Range::all(), 0, None).await.unwrap().kvs.len(), 3);
}

/// Reading the future is a caller's mistake.
pub async fn a_future_revision_is_refused(open: &Open) {
    let store = open(still());
    put(&*store, "/a", "1").await;
    let answer = store.get(&["/a".into()], Some(Rev(2))).await;
    let Err(StoreError::Future { asked: Rev(2), current: Rev(1) }) = answer else {
        panic!("{answer:?}")
    };
    let answer = store.range(Range::all(), 0, Some(Rev(2))).await;
    assert!(matches!(answer, Err(StoreError::Future { .. })), "{answer:?}");
}

/// `get` has an explicit limit.
pub async fn too_many_keys_are_refused(open: &Open) {
    let store = open(still());
    let mut keys = vec![Key::from("/a"); limits::GET_KEYS_MAX];
    assert_eq!(store.get(&keys, None).await.unwrap().0.len(), limits::GET_KEYS_MAX);
    keys.push(Key::from("/a"));
    let answer = store.get(&keys, None).await;
    assert!(matches!(answer, Err(StoreError::TooManyKeys { count: 1001 })), "{answer:?}");
}

/// After close nothing works, and closing again is fine.
pub async fn a_closed_store_refuses_everything(open: &Open) {
    let store = open(still());
    put(&*store, "/a", "1").await;
    assert_eq!(rev(&*store).await, Rev(1));
    store.close().await.unwrap();
    store.close().await.unwrap();
    let closed = |error: StoreError| assert!(matches!(error, StoreError::Closed), "{error:?}");
    closed(store.get(&["/a".into()], None).await.unwrap_err());
    closed(store.range(Range::all(), 0, None).await.unwrap_err());
    closed(store.lease(std::time::Duration::from_secs(1)).await.unwrap_err());
    closed(store.keep_alive(LeaseId(Rev(1))).await.unwrap_err());
    closed(store.revoke(LeaseId(Rev(1))).await.unwrap_err());
    closed(store.export(Box::new(std::io::sink())).await.unwrap_err());
    closed(store.import(Box::new(std::io::empty())).await.unwrap_err());
    let error = store.txn(&[], vec![Op::put("/a", "2")]).await.unwrap_err();
    assert!(matches!(error, TxnError::Store(StoreError::Closed)), "{error:?}");
}
