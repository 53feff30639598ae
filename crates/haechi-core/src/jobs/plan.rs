//! Which jobs wait and which run: what may begin next. No input or output, no time.

use std::collections::{BTreeMap, HashMap, HashSet};

use haechi_store::Key;

/// Waiting jobs of one kind that are kept in mind; the store has the others.
pub(super) const WAITING_MAX: usize = 512;

/// A row of a job that is due, by its name alone: `/jobs/<when>/<kind>/<id>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) key: Key,
    pub(super) due_ms: i64,
    pub(super) kind: String,
    pub(super) id: String,
}

impl Due {
    /// What a row's name says; `None` if it is no job's.
    pub(super) fn parse(key: &Key) -> Option<Due> {
        let text = std::str::from_utf8(key.as_bytes()).ok()?;
        let mut parts = text.strip_prefix("/jobs/")?.split('/');
        let due_ms = i64::from_str_radix(parts.next()?, 16).ok()?;
        let (kind, id) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Due { key: key.clone(), due_ms, kind, id })
    }

    /// The name before those of all jobs that are due at a time or later.
    pub(super) fn before(due_ms: i64) -> Key {
        Key::new(format!("/jobs/{:016x}/", due_ms.max(0)))
    }

    fn lane(&self) -> Lane {
        (self.kind.clone(), self.id.clone())
    }
}

/// Kind and id: what runs one at a time.
type Lane = (String, String);

/// Jobs of one kind.
#[derive(Default)]
struct Kind {
    /// In the order in which they fell due: the order of keys.
    waiting: BTreeMap<Key, Due>,
    running: usize,
    /// Whether the store has more that wait.
    more: bool,
}

/// What waits and what runs.
#[derive(Default)]
pub(super) struct Plan {
    kinds: BTreeMap<String, Kind>,
    lanes: HashMap<Lane, Key>,
    /// The rows of what runs.
    running: HashSet<Key>,
    /// How many have ended.
    ended: u64,
}

impl Plan {
    /// Begins to take note of everything that is due anew.
    pub(super) fn clear(&mut self) {
        for kind in self.kinds.values_mut() {
            kind.waiting.clear();
            kind.more = false;
        }
        self.kinds.retain(|_, kind| kind.running > 0);
    }

    /// Takes note of a job that is due; rows are to come in order.
    pub(super) fn add(&mut self, due: Due) {
        if self.running.contains(&due.key) {
            return;
        }
        let kind = self.kinds.entry(due.kind.clone()).or_default();
        if kind.waiting.len() < WAITING_MAX {
            kind.waiting.insert(due.key.clone(), due);
        } else {
            kind.more = true;
        }
    }

    /// The job that begins now, the one that has waited longest of those that may.
    pub(super) fn begin(&mut self, most: usize, of_kind: impl Fn(&str) -> usize) -> Option<Due> {
        if self.running.len() >= most {
            return None;
        }
        let lanes = &self.lanes;
        let ready = |(name, kind): (&String, &Kind)| {
            if kind.running >= of_kind(name).max(1) {
                return None;
            }
            kind.waiting.values().find(|due| !lanes.contains_key(&due.lane())).cloned()
        };
        let due = self.kinds.iter().filter_map(ready).min_by(|one, two| one.key.cmp(&two.key))?;
        if let Some(kind) = self.kinds.get_mut(&due.kind) {
            kind.waiting.remove(&due.key);
            kind.running += 1;
        }
        self.lanes.insert(due.lane(), due.key.clone());
        self.running.insert(due.key.clone());
        Some(due)
    }

    /// A job has ended; with `again` it waits anew.
    pub(super) fn end(&mut self, due: Due, again: bool) {
        self.ended += 1;
        self.running.remove(&due.key);
        self.lanes.remove(&due.lane());
        let Some(kind) = self.kinds.get_mut(&due.kind) else { return };
        kind.running = kind.running.saturating_sub(1);
        if again {
            kind.waiting.insert(due.key.clone(), due);
        }
    }

    /// Whether the store has jobs of a kind of which none waits here any more.
    pub(super) fn is_short(&self) -> bool {
        self.kinds.values().any(|kind| kind.more && kind.waiting.is_empty())
    }

    /// Whether anything runs.
    pub(super) fn runs(&self) -> bool {
        !self.running.is_empty()
    }

    /// Where nothing waits and nothing runs of the kinds that count: how many have ended until now.
    pub(super) fn idle(&self, counts: impl Fn(&str) -> bool) -> Option<u64> {
        let is_busy = |(name, kind): (&String, &Kind)| {
            counts(name) && (kind.running > 0 || !kind.waiting.is_empty())
        };
        (!self.kinds.iter().any(is_busy)).then_some(self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(when: u64, kind: &str, id: &str) -> Due {
        Due::parse(&Key::from(format!("/jobs/{when:016x}/{kind}/{id}/"))).unwrap()
    }

    fn plan(rows: &[(u64, &str, &str)]) -> Plan {
        let mut plan = Plan::default();
        rows.iter().for_each(|(when, kind, id)| plan.add(due(*when, kind, id)));
        plan
    }

    #[test]
    fn a_name_that_is_no_jobs_is_none() {
        assert_eq!(due(255, "k", "i").due_ms, 255);
        for name in ["/jobs/xyz/k/i/", "/jobs/00ff/k", "/other/00ff/k/i/"] {
            assert_eq!(Due::parse(&Key::from(name)), None);
        }
    }

    #[test]
    fn of_a_kind_and_id_one_runs_at_a_time_in_order() {
        let mut plan = plan(&[(1, "k", "a"), (2, "k", "a"), (3, "k", "b"), (4, "other", "a")]);
        let mut begin = || plan.begin(9, |_| 9);
        let first = begin().unwrap();
        assert_eq!(first, due(1, "k", "a"));
        assert_eq!(begin(), Some(due(3, "k", "b")));
        assert_eq!(begin(), Some(due(4, "other", "a")));
        assert_eq!(begin(), None);
        plan.end(first, false);
        assert_eq!(plan.begin(9, |_| 9), Some(due(2, "k", "a")));
        assert_eq!(plan.idle(|_| true), None);
    }

    #[test]
    fn one_that_is_to_run_again_comes_before_what_follows_about_the_same_id() {
        let mut plan = plan(&[(1, "k", "a"), (2, "k", "a")]);
        let first = plan.begin(9, |_| 9).unwrap();
        plan.end(first.clone(), true);
        assert_eq!(plan.begin(9, |_| 9), Some(first));
    }

    #[test]
    fn a_kind_that_is_at_its_bound_does_not_hold_up_others() {
        let mut plan = plan(&[(1, "k", "a"), (2, "k", "b"), (3, "other", "c"), (4, "third", "d")]);
        assert!(plan.begin(3, |_| 1).is_some());
        assert_eq!(plan.begin(3, |_| 1), Some(due(3, "other", "c")));
        assert_eq!(plan.begin(3, |_| 1), Some(due(4, "third", "d")));
        assert_eq!(plan.begin(3, |_| 2), None, "the bound of all");
        assert_eq!(plan.begin(4, |_| 2), Some(due(2, "k", "b")));
    }

    #[test]
    fn what_is_too_much_to_keep_in_mind_is_looked_for_again() {
        let mut plan = Plan::default();
        for when in 0..=WAITING_MAX as u64 {
            plan.add(due(when, "k", &when.to_string()));
        }
        for left in (0..WAITING_MAX).rev() {
            let one = plan.begin(1, |_| 1).unwrap();
            plan.end(one, false);
            assert_eq!(plan.is_short(), left == 0);
        }
        assert!(plan.begin(1, |_| 1).is_none());
    }

    #[test]
    fn what_runs_is_not_taken_note_of_again() {
        let mut plan = plan(&[(1, "k", "a")]);
        let one = plan.begin(9, |_| 9).unwrap();
        plan.clear();
        plan.add(one.clone());
        plan.end(one, false);
        assert_eq!(plan.idle(|_| true), Some(1));
    }
}
