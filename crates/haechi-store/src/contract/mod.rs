//! The behaviour of every engine, as tests that any engine runs.
//!
//! An engine's `tests/it` calls [`crate::contract_tests!`] with a function that opens a new, empty
//! store. What is not tested here is not promised by [`crate::Store`].
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this module is test code that is shared between crates"
)]

pub mod archives;
pub mod leases;
pub mod reads;
pub mod txns;
pub mod watches;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{Kv, Op, Options, Rev, Store};

/// Opens a new, empty store.
pub type Open = dyn Fn(Options) -> Arc<dyn Store> + Sync;

/// Where engines may differ. Each test of such a behaviour says what is promised of which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In this process: leases end by the injected clock to the millisecond, and an import gives
    /// each row the revisions that it had.
    Embedded,
    /// On servers that several nodes share: leases end by the servers' own time, for no node's clock
    /// can be trusted to end another node's claim; and the servers count revisions themselves, so an
    /// import gives its rows the export's revision.
    Distributed,
}

/// A clock that stands still until it is moved.
#[derive(Clone, Debug, Default)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("a short time");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Options with this clock.
    #[must_use]
    pub fn options(&self) -> Options {
        let millis = self.0.clone();
        Options::new(move || Duration::from_millis(millis.load(Ordering::SeqCst)))
    }
}

fn still() -> Options {
    TestClock::default().options()
}

async fn put(store: &dyn Store, key: &str, value: &str) -> Rev {
    store.txn(&[], vec![Op::put(key, value)]).await.unwrap()
}

async fn delete(store: &dyn Store, key: &str) -> Rev {
    store.txn(&[], vec![Op::delete(key)]).await.unwrap()
}

async fn row(store: &dyn Store, key: &str) -> Option<Kv> {
    row_at(store, key, None).await
}

async fn row_at(store: &dyn Store, key: &str, at: Option<Rev>) -> Option<Kv> {
    store.get(&[key.into()], at).await.unwrap().0.remove(0)
}

async fn text(store: &dyn Store, key: &str, at: Option<Rev>) -> Option<String> {
    let kv = row_at(store, key, at).await?;
    Some(String::from_utf8(kv.value.as_bytes().to_vec()).unwrap())
}

async fn rev(store: &dyn Store) -> Rev {
    store.get(&[], None).await.unwrap().1
}

/// Makes one test of each behaviour. `$open` is a `Fn(Options) -> Arc<dyn Store>`; the engine is
/// [`Kind::Embedded`] unless another [`Kind`] follows.
#[macro_export]
macro_rules! contract_tests {
    ($open:expr) => {
        $crate::contract_tests!($open, $crate::contract::Kind::Embedded);
    };
    ($open:expr, $kind:expr) => {
        $crate::contract_tests!(@module $open, reads:
            a_row_is_read_back_with_its_revisions
            get_keeps_the_order_of_its_keys
            a_row_written_again_after_delete_is_a_new_row
            a_range_is_in_byte_order_and_leaves_its_end_out
            pages_of_one_revision_ignore_later_writes
            a_past_revision_reads_as_it_was
            history_is_bounded_and_says_so
            a_row_written_many_times_is_on_a_page_once
            what_was_compacted_still_reads_as_it_is_now
            a_future_revision_is_refused
            too_many_keys_are_refused
            a_closed_store_refuses_everything);
        $crate::contract_tests!(@module $open, txns:
            a_transaction_is_one_revision
            each_precondition_holds_and_fails
            a_failed_precondition_writes_nothing_and_is_named
            a_transaction_without_effect_keeps_the_revision
            limits_are_exact
            bad_keys_are_refused
            a_key_put_twice_is_refused
            concurrent_increments_lose_none
            readers_never_see_half_a_transaction);
        $crate::contract_tests!(@module $open, watches:
            a_watch_sees_every_change_under_its_prefix_in_order
            a_watch_from_zero_begins_with_the_next_revision
            a_broken_watch_resumes_without_gap_or_repeat
            a_watch_of_forgotten_revisions_is_told
            a_slow_watch_is_told_rather_than_skipped
            watches_agree_under_concurrent_writers
            a_watch_ends_when_the_store_closes);
        $crate::contract_tests!(@kinds $open, $kind, leases:
            a_leased_row_vanishes_when_its_time_has_come
            keeping_a_lease_alive_starts_its_time_anew
            revoking_removes_the_rows_in_one_revision
            an_ended_lease_cannot_write
            a_late_holder_is_fenced
            a_row_rewritten_without_its_lease_stays
            tokens_rise_with_every_grant
            a_lease_needs_a_time_to_live);
        $crate::contract_tests!(@kinds $open, $kind, archives:
            an_export_imports_to_the_same_rows
            an_import_goes_on_from_the_exported_revision
            an_export_reads_one_revision_while_others_write
            leased_rows_are_not_exported
            every_truncation_is_refused_and_changes_nothing
            every_flipped_byte_is_refused_and_changes_nothing
            a_used_store_refuses_an_import
            a_failing_writer_fails_the_export);
    };
    (@module $open:expr, $module:ident: $($name:ident)*) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $crate::contract::$module::$name(&$open).await;
                }
            )*
        }
    };
    (@kinds $open:expr, $kind:expr, $module:ident: $($name:ident)*) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $crate::contract::$module::$name(&$open, $kind).await;
                }
            )*
        }
    };
}
