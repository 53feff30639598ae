//! The data behind the lock: rows with their versions, the log of recent revisions, the leases.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    time::Duration,
};

use haechi_store::{
    Batch, Cond, Conflict, Event, Key, Kv, LeaseId, Op, Page, Range, Rev, StoreError, Value,
};

/// Most batches handed to a watch at once.
const EVENTS_BATCHES_MAX: usize = 256;

/// What a row was from revision `rev` on; `None` after it was removed.
struct Version {
    rev: Rev,
    kv: Option<Kv>,
}

struct LeaseState {
    ttl: Duration,
    deadline: Duration,
    keys: BTreeSet<Key>,
}

pub(crate) struct State {
    history: u64,
    rev: Rev,
    /// The oldest readable revision; the log begins after it.
    compacted: Rev,
    rows: BTreeMap<Key, Vec<Version>>,
    log: VecDeque<Batch>,
    leases: BTreeMap<LeaseId, LeaseState>,
}

impl State {
    pub(crate) fn new(history: u64) -> Self {
        Self {
            history,
            rev: Rev::ZERO,
            compacted: Rev::ZERO,
            rows: BTreeMap::new(),
            log: VecDeque::new(),
            leases: BTreeMap::new(),
        }
    }

    pub(crate) fn rev(&self) -> Rev {
        self.rev
    }

    /// The revision to read at, if it is readable.
    pub(crate) fn readable(&self, at: Option<Rev>) -> Result<Rev, StoreError> {
        match at {
            Some(asked) if asked > self.rev => Err(StoreError::Future { asked, current: self.rev }),
            Some(asked) if asked < self.compacted => {
                Err(StoreError::Compacted { asked, oldest: self.compacted })
            }
            Some(asked) => Ok(asked),
            None => Ok(self.rev),
        }
    }

    pub(crate) fn row(&self, key: &Key, at: Rev) -> Option<Kv> {
        version_at(self.rows.get(key)?, at).cloned()
    }

    pub(crate) fn page(&self, range: &Range, rows: usize, at: Rev) -> Page {
        let mut page = Page { kvs: Vec::new(), more: false, rev: at };
        if range.is_empty() {
            return page;
        }
        let end = range.end.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let found = self
            .rows
            .range((Bound::Included(&range.start), end))
            .filter_map(|(_, versions)| version_at(versions, at));
        for kv in found {
            if page.kvs.len() == rows {
                page.more = true;
                break;
            }
            page.kvs.push(kv.clone());
        }
        page
    }

    /// Every row as it stands now.
    pub(crate) fn rows(&self) -> Vec<Kv> {
        self.rows.values().filter_map(|versions| version_at(versions, self.rev)).cloned().collect()
    }

    pub(crate) fn judge(&self, when: &[Cond]) -> Result<(), Conflict> {
        match when.iter().position(|cond| !self.holds(cond)) {
            Some(index) => Err(Conflict { index, rev: self.rev }),
            None => Ok(()),
        }
    }

    fn holds(&self, cond: &Cond) -> bool {
        let current = cond
            .key()
            .and_then(|key| self.rows.get(key))
            .and_then(|versions| version_at(versions, self.rev));
        match cond {
            Cond::ModRev(_, rev) => current.map_or(Rev::ZERO, |kv| kv.mod_rev) == *rev,
            Cond::CreateRev(_, rev) => current.map_or(Rev::ZERO, |kv| kv.create_rev) == *rev,
            Cond::Absent(_) => current.is_none(),
            Cond::Exists(_) => current.is_some(),
            Cond::Equals(_, value) => current.is_some_and(|kv| kv.value == *value),
            Cond::Held(lease) => self.leases.contains_key(lease),
        }
    }

    /// Applies the operations as one revision.
    pub(crate) fn apply(&mut self, then: Vec<Op>) -> Result<Rev, StoreError> {
        for op in &then {
            if let Op::Put { lease: Some(lease), .. } = op
                && !self.leases.contains_key(lease)
            {
                return Err(StoreError::LeaseNotFound { lease: *lease });
            }
        }
        let rev = self.rev.next();
        let mut events = Vec::with_capacity(then.len());
        for op in then {
            match op {
                Op::Put { key, value, lease } => events.push(self.put(key, value, lease, rev)),
                Op::Delete { key } => events.extend(self.delete(key, rev)),
            }
        }
        if !events.is_empty() {
            self.commit(rev, events);
        }
        Ok(self.rev)
    }

    fn put(&mut self, key: Key, value: Value, lease: Option<LeaseId>, rev: Rev) -> Event {
        let versions = self.rows.entry(key.clone()).or_default();
        let before = versions.last().and_then(|version| version.kv.as_ref());
        let (create_rev, version) =
            before.map_or((rev, 1), |kv| (kv.create_rev, kv.version.saturating_add(1)));
        let old_lease = before.and_then(|kv| kv.lease);
        let kv = Kv { key: key.clone(), value, create_rev, mod_rev: rev, version, lease };
        versions.push(Version { rev, kv: Some(kv.clone()) });
        self.detach(old_lease, &key);
        if let Some(state) = lease.and_then(|lease| self.leases.get_mut(&lease)) {
            state.keys.insert(key);
        }
        Event::Put(kv)
    }

    fn delete(&mut self, key: Key, rev: Rev) -> Option<Event> {
        let versions = self.rows.get_mut(&key)?;
        let lease = versions.last()?.kv.as_ref()?.lease;
        versions.push(Version { rev, kv: None });
        self.detach(lease, &key);
        Some(Event::Delete { key })
    }

    fn detach(&mut self, lease: Option<LeaseId>, key: &Key) {
        if let Some(state) = lease.and_then(|lease| self.leases.get_mut(&lease)) {
            state.keys.remove(key);
        }
    }

    fn commit(&mut self, rev: Rev, events: Vec<Event>) {
        self.rev = rev;
        if !events.is_empty() {
            self.log.push_back(Batch { rev, events });
        }
        self.compact(Rev(rev.0.saturating_sub(self.history)));
    }

    /// Forgets what only revisions before `to` show.
    fn compact(&mut self, to: Rev) {
        self.compacted = self.compacted.max(to);
        while let Some(batch) = self.log.pop_front_if(|batch| batch.rev <= to) {
            for event in batch.events {
                self.forget(event.key(), to);
            }
        }
    }

    fn forget(&mut self, key: &Key, to: Rev) {
        let Some(versions) = self.rows.get_mut(key) else { return };
        let newer = versions.iter().position(|version| version.rev > to).unwrap_or(versions.len());
        // The version that `to` shows stays, unless it shows nothing.
        let shown = newer.saturating_sub(1);
        let gone = versions.get(shown).is_some_and(|version| version.kv.is_none());
        versions.drain(..if gone { newer } else { shown });
        if versions.is_empty() {
            self.rows.remove(key);
        }
    }

    pub(crate) fn events(&self, prefix: &Key, from: Rev) -> Result<(Vec<Batch>, Rev), StoreError> {
        if from <= self.compacted {
            return Err(StoreError::Compacted { asked: from, oldest: self.compacted });
        }
        let start = self.log.partition_point(|batch| batch.rev < from);
        let mut batches = Vec::new();
        for batch in self.log.range(start..) {
            if batches.len() == EVENTS_BATCHES_MAX {
                return Ok((batches, batch.rev));
            }
            let events: Vec<Event> = batch
                .events
                .iter()
                .filter(|event| event.key().starts_with(prefix))
                .cloned()
                .collect();
            if !events.is_empty() {
                batches.push(Batch { rev: batch.rev, events });
            }
        }
        Ok((batches, from.max(self.rev.next())))
    }

    pub(crate) fn grant(&mut self, ttl: Duration, now: Duration) -> LeaseId {
        let id = LeaseId(self.rev.next());
        let deadline = now.saturating_add(ttl);
        self.leases.insert(id, LeaseState { ttl, deadline, keys: BTreeSet::new() });
        self.commit(id.0, Vec::new());
        id
    }

    pub(crate) fn keep_alive(&mut self, lease: LeaseId, now: Duration) -> Result<(), StoreError> {
        let state = self.leases.get_mut(&lease).ok_or(StoreError::LeaseNotFound { lease })?;
        state.deadline = now.saturating_add(state.ttl);
        Ok(())
    }

    pub(crate) fn revoke(&mut self, lease: LeaseId) -> Result<(), StoreError> {
        let state = self.leases.remove(&lease).ok_or(StoreError::LeaseNotFound { lease })?;
        let rev = self.rev.next();
        let events: Vec<Event> =
            state.keys.into_iter().filter_map(|key| self.delete(key, rev)).collect();
        if !events.is_empty() {
            self.commit(rev, events);
        }
        Ok(())
    }

    /// Revokes the leases whose deadline has come; whether there were any.
    pub(crate) fn expire(&mut self, now: Duration) -> bool {
        let due: Vec<LeaseId> = self
            .leases
            .iter()
            .filter(|(_, state)| state.deadline <= now)
            .map(|(id, _)| *id)
            .collect();
        // INVARIANT: the ids were just read from the map, so revoking them finds them.
        due.iter().filter(|id| self.revoke(**id).is_ok()).count() > 0
    }

    pub(crate) fn must_be_new(&self) -> Result<(), StoreError> {
        if self.rev == Rev::ZERO { Ok(()) } else { Err(StoreError::NotEmpty { rev: self.rev }) }
    }

    /// Takes over imported rows.
    pub(crate) fn load(&mut self, rows: Vec<Kv>, rev: Rev) {
        self.rev = rev;
        self.compacted = rev;
        self.rows = rows
            .into_iter()
            .map(|kv| (kv.key.clone(), vec![Version { rev: kv.mod_rev, kv: Some(kv) }]))
            .collect();
    }
}

fn version_at(versions: &[Version], at: Rev) -> Option<&Kv> {
    versions.iter().rev().find(|version| version.rev <= at)?.kv.as_ref()
}
