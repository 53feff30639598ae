//! Runs a program that speaks AWS's Runtime API, shut in as far as the machine can.
//!
//! ```text
//! haechi ──spawn──► step 1: namespaces, loopback, listeners ──spawn──► step 2 (pid 1 of its own):
//!   │ ◄── listeners of the new network, how it ended ──┘               mounts, limits, other user,
//!   │                                                                 seccomp, exec ─► the runtime
//!   └ serves the Runtime API and forwards what may be reached, on those listeners
//! ```
//! What it guarantees, where [`Isolation`] says that the parts are in force:
//! * The program sees a read-only system, its code, and a `/tmp` of its own with a limit; nothing
//!   else of the machine's files, and so no data directory.
//! * It reaches over the network what it is given and nothing else: its network has a loopback only,
//!   on which the parent listens and forwards.
//! * It sees no process but its own, and none of them outlives it or its parent: the first of them
//!   is the first process of a process namespace.
//! * Memory, processes, files and file sizes are limited; it can gain no privilege.
//!
//! No `unsafe`: the steps are programs (this one, executed anew), not forks.
//!
//! Source: Lambda Developer Guide, "Building a custom runtime", "Runtime API" (2018-06-01);
//! namespaces(7), user_namespaces(7), pivot_root(2), cgroups(7), seccomp(2).
//!
//! ```text
//! spec.rs         what is to be run, and its limits
//! isolation.rs    which parts of the isolation work here
//! enter.rs        step 1 and step 2
//! mounts.rs       the files it sees
//! network.rs      loopback, addresses, listeners in the new network
//! privileges.rs   limits, user, no new privileges
//! seccomp.rs      system calls that it cannot make
//! control.rs      what parent and step 1 tell each other
//! cgroup.rs       memory, processes, processor, by the parent
//! process.rs      the parent's side of the process
//! forward.rs      connections that may leave
//! runtime_api.rs  AWS's Runtime API, of one instance
//! instance.rs     start, invoke, end
//! ```

mod cgroup;
mod control;
mod enter;
mod forward;
mod instance;
mod isolation;
mod mounts;
mod network;
mod privileges;
mod process;
mod runtime_api;
mod seccomp;
mod spec;

pub use cgroup::Cgroups;
pub use enter::{COMMAND, SETUP_FAILED, run_step};
pub use forward::Destination;
pub use instance::{InitFailure, Instance, Invocation, Launcher, Outcome, StartFailure};
pub use isolation::Isolation;
pub use process::Exit;
pub use runtime_api::PAYLOAD_MAX;
pub use spec::{Bind, Limits, Spec};
