//! Which duties this node has the right to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haechi_store::{Cond, Key, Rev};
use tokio::sync::watch;
use tokio::time::Instant;

use super::claim::Claim;

/// Duties fall on so many shards.
pub const SHARDS: u8 = 16;

/// Of ids of duties that one node alone can do, as what they are about lies there.
const ON_NODE: &str = "node:";

/// The row of a shard.
pub(super) fn shard_key(shard: u8) -> Key {
    Key::from(format!("/cluster/shard/{shard:02}"))
}

/// The shard of a duty: the same on every node and in every version (FNV-1a, stirred, as its high
/// bits hardly move for short names).
fn shard_of(kind: &str, id: &str) -> u8 {
    let bytes = kind.bytes().chain([0]).chain(id.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let stirred = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    u8::try_from((stirred >> 33) % u64::from(SHARDS)).unwrap_or(0)
}

/// A shard that this node owns.
struct Owned {
    /// The revision that wrote its row.
    rev: Rev,
    /// Claims to its duties.
    uses: usize,
    /// It is about to be given away: no new claims.
    leaves: bool,
}

#[derive(Default)]
struct State {
    /// Until when the lease surely lives.
    until: Option<Instant>,
    /// The row of this node, and the revision that wrote it.
    node: Option<(Key, Rev)>,
    shards: BTreeMap<u8, Owned>,
    /// Counts the leases that this node had.
    term: u64,
}

/// The shards of this node.
pub(super) struct Shards {
    node: String,
    state: Mutex<State>,
    /// Moves when shards come or go.
    moved: watch::Sender<u64>,
    /// Moves when a claim ends.
    ended: watch::Sender<u64>,
}

impl Shards {
    pub(super) fn new(node: &str) -> Shards {
        let (moved, ended) = (watch::Sender::new(0), watch::Sender::new(0));
        Shards { node: node.to_owned(), state: Mutex::default(), moved, ended }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let answer = act(&mut self.state());
        self.moved.send_modify(|count| *count = count.wrapping_add(1));
        answer
    }

    /// A new lease: the row of the node stands, no shard is owned yet.
    pub(super) fn begin(&self, node: (Key, Rev), until: Instant) {
        self.change(|state| {
            *state = State {
                until: Some(until),
                node: Some(node),
                shards: BTreeMap::new(),
                term: state.term + 1,
            };
        });
    }

    /// The lease was kept alive.
    pub(super) fn lives_until(&self, until: Instant) {
        self.state().until = Some(until);
    }

    /// The lease has ended, and with it every claim.
    pub(super) fn lost(&self) {
        self.change(|state| *state = State { term: state.term + 1, ..State::default() });
    }

    pub(super) fn gained(&self, shard: u8, rev: Rev) {
        self.change(|state| state.shards.insert(shard, Owned { rev, uses: 0, leaves: false }));
    }

    /// Goes by the rows: `row` answers the revision of a shard's row, if it has this node's lease.
    pub(super) fn reconcile(&self, row: impl Fn(u8) -> Option<Rev>) {
        let differs = |state: &State, shard: u8| {
            row(shard) != state.shards.get(&shard).map(|owned| owned.rev)
        };
        let wrong = |state: &State| (0..SHARDS).any(|shard| differs(state, shard));
        if !wrong(&self.state()) {
            return;
        }
        self.change(|state| {
            for shard in (0..SHARDS).filter(|shard| differs(state, *shard)).collect::<Vec<_>>() {
                match row(shard) {
                    Some(rev) => {
                        state.shards.insert(shard, Owned { rev, uses: 0, leaves: false });
                    }
                    None => {
                        state.shards.remove(&shard);
                    }
                }
            }
        });
    }

    /// The shards of this node.
    pub(super) fn owned(&self) -> Vec<u8> {
        self.state().shards.keys().copied().collect()
    }

    /// Takes no new claims to the duties of so many shards; answers those that nobody has claims to
    /// any more, with the revisions of their rows: they can be given away.
    pub(super) fn leave(&self, count: usize) -> Vec<(u8, Rev)> {
        let mut state = self.state();
        let leaving = state.shards.values_mut().rev().take(count);
        leaving.for_each(|owned| owned.leaves = true);
        let free = |(_, owned): &(&u8, &Owned)| owned.leaves && owned.uses == 0;
        let free = state.shards.iter().filter(free);
        free.map(|(shard, owned)| (*shard, owned.rev)).collect()
    }

    /// A shard was given away.
    pub(super) fn left(&self, shard: u8) {
        self.change(|state| state.shards.remove(&shard));
    }

    /// How many claims there are.
    pub(super) fn uses(&self) -> usize {
        self.state().shards.values().map(|owned| owned.uses).sum()
    }

    /// Tells of each claim that has ended.
    pub(super) fn ends(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    fn claim(self: &Arc<Self>, kind: &str, id: &str) -> Option<Claim> {
        let mut state = self.state();
        if state.until.is_none_or(|until| Instant::now() >= until) {
            return None;
        }
        if let Some(node) = id.strip_prefix(ON_NODE).and_then(|rest| rest.split(':').next()) {
            let (key, rev) = state.node.clone().filter(|_| node == self.node)?;
            return Some(Claim::new(Cond::CreateRev(key, rev), None));
        }
        let (shard, term) = (shard_of(kind, id), state.term);
        let owned = state.shards.get_mut(&shard).filter(|owned| !owned.leaves)?;
        owned.uses += 1;
        let condition = Cond::CreateRev(shard_key(shard), owned.rev);
        Some(Claim::new(condition, Some(Use { shards: Arc::clone(self), shard, term })))
    }

    fn is_owned(&self, kind: &str, id: &str) -> bool {
        if let Some(node) = id.strip_prefix(ON_NODE).and_then(|rest| rest.split(':').next()) {
            return node == self.node;
        }
        self.state().shards.get(&shard_of(kind, id)).is_some_and(|owned| !owned.leaves)
    }
}

/// A claim to a duty of a shard, counted.
pub(super) struct Use {
    shards: Arc<Shards>,
    shard: u8,
    term: u64,
}

impl Use {
    pub(super) fn stands(&self) -> bool {
        let state = self.shards.state();
        state.term == self.term && state.until.is_some_and(|until| Instant::now() < until)
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut state = self.shards.state();
        if state.term == self.term
            && let Some(owned) = state.shards.get_mut(&self.shard)
        {
            owned.uses = owned.uses.saturating_sub(1);
        }
        drop(state);
        self.shards.ended.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Who does which duty.
#[derive(Clone, Default)]
pub struct Ownership {
    shards: Option<Arc<Shards>>,
    never: Arc<watch::Sender<u64>>,
}

impl Ownership {
    pub(super) fn of(shards: &Arc<Shards>) -> Ownership {
        Ownership { shards: Some(Arc::clone(shards)), never: Arc::default() }
    }

    /// The right to do a duty now; `None` if it is another node's, or nobody's just now.
    pub fn claim(&self, kind: &str, id: &str) -> Option<Claim> {
        match &self.shards {
            None => Some(Claim::free()),
            Some(shards) => shards.claim(kind, id),
        }
    }

    /// Whether a duty is this node's.
    pub fn is_owned(&self, kind: &str, id: &str) -> bool {
        self.shards.as_ref().is_none_or(|shards| shards.is_owned(kind, id))
    }

    /// Tells when duties may have come to this node.
    pub fn moves(&self) -> watch::Receiver<u64> {
        self.shards.as_ref().map_or(&*self.never, |shards| &shards.moved).subscribe()
    }

    /// What the ids of duties begin with that only the node `id` can do.
    pub fn prefix(id: &str) -> String {
        format!("{ON_NODE}{id}:")
    }

    /// What the ids of duties begin with that only this node can do; nothing where it is alone.
    pub fn on_this_node(&self) -> String {
        self.shards.as_ref().map(|shards| Ownership::prefix(&shards.node)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shards() -> Arc<Shards> {
        let shards = Arc::new(Shards::new("n1"));
        let until = Instant::now() + Duration::from_secs(60);
        shards.begin((Key::from("/cluster/node/n1"), Rev(3)), until);
        shards
    }

    #[test]
    fn duties_spread_over_all_shards_and_stay_on_theirs() {
        let mut counts = [0; SHARDS as usize];
        (0..16_000).for_each(|id| counts[usize::from(shard_of("k", &id.to_string()))] += 1);
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        assert_eq!(shard_of("kms-rotate-key", "a"), shard_of("kms-rotate-key", "a"));
        assert_eq!([shard_of("a", "b"), shard_of("ab", "")], [9, 11], "of every version");
    }

    #[test]
    fn a_claim_is_to_be_had_while_the_shard_is_owned_and_the_lease_lives() {
        let shards = shards();
        let (ownership, shard) = (Ownership::of(&shards), shard_of("k", "a"));
        assert!(ownership.claim("k", "a").is_none());
        shards.gained(shard, Rev(7));
        let claim = ownership.claim("k", "a").unwrap();
        assert!(claim.stands());
        assert!(shards.leave(1).is_empty(), "it is in use");
        assert!(ownership.claim("k", "a").is_none(), "it is about to go");
        drop(claim);
        assert_eq!(shards.leave(1), [(shard, Rev(7))]);
        shards.left(shard);
        shards.gained(shard, Rev(9));
        let claim = ownership.claim("k", "a").unwrap();
        shards.lost();
        assert!(!claim.stands());
        assert!(ownership.claim("k", "a").is_none());
        let past = Instant::now();
        shards.begin((Key::from("/cluster/node/n1"), Rev(11)), past);
        shards.gained(shard, Rev(12));
        drop(claim);
        assert!(ownership.claim("k", "a").is_none(), "the lease may have ended");
    }

    #[test]
    fn what_lies_on_a_node_is_that_nodes() {
        let ownership = Ownership::of(&shards());
        assert_eq!(ownership.on_this_node(), "node:n1:");
        assert!(ownership.claim("k", "node:n1:x").is_some());
        assert!(ownership.claim("k", "node:n2:x").is_none());
        let alone = Ownership::default();
        assert!(alone.claim("k", "node:n2:x").is_some());
        assert_eq!(alone.on_this_node(), "");
    }
}
