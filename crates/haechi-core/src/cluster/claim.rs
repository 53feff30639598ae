//! The right to do a duty.

use std::future::Future;

use haechi_store::Cond;

use super::shards::Use;

tokio::task_local! {
    /// What commits of the running duty demand.
    static CONDITION: Option<Cond>;
}

/// What the commits of this task demand beside their own conditions.
pub(crate) fn condition() -> Option<Cond> {
    CONDITION.try_with(Clone::clone).ok().flatten()
}

/// The right to do a duty, for as long as it lives; a node does not give a shard away while there
/// are claims to its duties. It may end all the same, with the node's lease: then commits under it
/// are refused as conflicts.
pub struct Claim {
    condition: Option<Cond>,
    used: Option<Use>,
}

impl Claim {
    /// Where there are no other nodes.
    pub(super) fn free() -> Claim {
        Claim { condition: None, used: None }
    }

    pub(super) fn new(condition: Cond, used: Option<Use>) -> Claim {
        Claim { condition: Some(condition), used }
    }

    /// Does the duty: every commit within demands that the claim still stands. What is spawned
    /// within is outside.
    pub async fn hold<T>(&self, duty: impl Future<Output = T> + Send) -> T {
        CONDITION.scope(self.condition.clone(), duty).await
    }

    /// Whether it still stands, as far as this node knows.
    pub fn stands(&self) -> bool {
        self.used.as_ref().is_none_or(Use::stands)
    }
}
