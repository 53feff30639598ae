//! What is to be run, and its limits.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A file or folder of the machine that the program sees, read-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Where it lies on the machine.
    pub source: PathBuf,
    /// Where the program finds it.
    pub target: PathBuf,
}

/// Limits of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, in mebibytes: bound by the control group, or else the data of each process.
    pub memory_mib: u64,
    /// Size of `/tmp`, and of a file there, in mebibytes.
    pub tmp_mib: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Open files.
    pub files: u64,
}

/// What is to be run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// The program and its arguments, as the program's own root has them.
    pub command: Vec<String>,
    /// Its environment; `AWS_LAMBDA_RUNTIME_API` is added.
    pub environment: BTreeMap<String, String>,
    /// The folder of the code: `/var/task`.
    pub code: PathBuf,
    /// What else it sees of the machine's files.
    pub binds: Vec<Bind>,
    /// Folders that it never sees, also where they lie in what it sees.
    pub covered: Vec<PathBuf>,
    /// Lines of `/etc/hosts`: a name and its address.
    pub hosts: Vec<(String, String)>,
    /// What is listened on in its network, for the parent.
    pub listen: Vec<SocketAddr>,
    /// Limits.
    pub limits: Limits,
    /// The user that it runs as, where the parent may choose.
    pub uid: u32,
    /// Where files go without a mount namespace; made by the parent.
    pub scratch: PathBuf,
}
