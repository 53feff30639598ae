//! Which parts of the isolation work here.

use serde::{Deserialize, Serialize};

/// The parts, each tried on this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Whether the namespaces belong to a user namespace: the parent is no superuser.
    pub user_namespace: bool,
    /// Files of its own.
    pub mounts: bool,
    /// Processes of its own.
    pub processes: bool,
    /// A network of its own. `false` also where the operator lets functions use the machine's.
    pub network: bool,
    /// System calls are filtered.
    pub seccomp: bool,
    /// Memory and processes are counted by a control group.
    pub cgroup: bool,
    /// It runs as a user of its own, and not as the parent's.
    pub own_user: bool,
}

impl Isolation {
    /// The parts without which code could read the parent's files, or stay behind.
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = [
            (self.mounts, "mount namespaces"),
            (self.processes, "process namespaces"),
            (self.network, "network namespaces"),
            (self.seccomp, "seccomp"),
        ];
        parts.iter().filter(|(there, _)| !there).map(|(_, name)| *name).collect()
    }

    /// In one line, for the operator.
    pub fn describe(&self) -> String {
        let parts = [
            (self.user_namespace, "user namespace", "no user namespace"),
            (self.own_user, "own user", "haechi's user"),
            (self.mounts, "own files", "THE MACHINE'S FILES"),
            (self.processes, "own processes", "THE MACHINE'S PROCESSES"),
            (self.network, "own network", "the machine's network"),
            (self.seccomp, "seccomp", "NO SECCOMP"),
            (self.cgroup, "control group", "no control group"),
        ];
        let words: Vec<&str> =
            parts.iter().map(|(there, yes, no)| if *there { *yes } else { *no }).collect();
        words.join(", ")
    }
}
