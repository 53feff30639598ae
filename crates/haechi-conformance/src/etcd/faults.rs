//! What befalls a cluster, chosen at random but by a seed, and how it ends.

use super::Cluster;

/// A fault of one member, by its number. Each leaves a majority of three at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is killed; it starts again with its data.
    Kill(usize),
    /// It stands still and answers nothing; it goes on.
    Pause(usize),
    /// It is cut off from the others.
    Cut(usize),
    /// It hears nothing of the others, but is heard.
    Deafen(usize),
    /// All are killed at once, as if the power failed.
    PowerCut,
}

impl Fault {
    /// One that `random` stands for. Half of them befall the leader, who matters most.
    pub fn choose(cluster: &Cluster, random: u64) -> Fault {
        let leader = cluster.wait();
        let member = match random >> 8 & 1 {
            0 => leader,
            _ => (leader + 1 + (random >> 9) as usize % (cluster.size() - 1)) % cluster.size(),
        };
        // Cutting needs namespaces.
        let kinds = if cluster.network.is_some() { 9 } else { 5 };
        match random % kinds {
            0 | 1 => Fault::Kill(member),
            2 | 3 => Fault::Pause(member),
            4 => Fault::PowerCut,
            5 | 6 => Fault::Cut(member),
            _ => Fault::Deafen(member),
        }
    }

    /// Lets it happen.
    pub fn begin(self, cluster: &mut Cluster) {
        match self {
            Fault::Kill(member) => cluster.kill(member),
            Fault::Pause(member) => cluster.pause(member),
            Fault::Cut(member) => cluster.cut(member, false),
            Fault::Deafen(member) => cluster.cut(member, true),
            Fault::PowerCut => (0..cluster.size()).for_each(|member| cluster.kill(member)),
        }
    }

    /// Puts everything right again.
    pub fn end(self, cluster: &mut Cluster) {
        match self {
            Fault::Kill(member) => cluster.restart(member),
            Fault::Pause(member) => cluster.resume(member),
            Fault::Cut(member) | Fault::Deafen(member) => cluster.heal(member),
            Fault::PowerCut => (0..cluster.size()).for_each(|member| cluster.restart(member)),
        }
    }
}
