//! Limits, user, no new privileges.

use std::fs;

use nix::sched::CloneFlags;
use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::{Gid, Uid};

use crate::isolation::Isolation;
use crate::spec::Limits;

/// What the program sees as its user: AWS's is called `sbx_user1051`.
pub const USER_INSIDE: u32 = 993;

/// What a process without a control group may have beyond its memory: stacks and heaps that are
/// reserved and not used.
const DATA_SPARE_MIB: u64 = 512;

/// Limits of setrlimit(2).
pub fn limit(limits: &Limits, isolation: &Isolation) -> std::io::Result<()> {
    let bytes = |mebibytes: u64| mebibytes.saturating_mul(1 << 20);
    let mut wanted = vec![
        (Resource::Core, 0),
        (Resource::Nofile, limits.files),
        (Resource::Nproc, limits.processes),
        (Resource::Fsize, bytes(limits.tmp_mib)),
        (Resource::Memlock, 64 << 10),
        (Resource::Msgqueue, 64 << 10),
    ];
    if !isolation.cgroup {
        wanted.push((Resource::Data, bytes(limits.memory_mib + DATA_SPARE_MIB)));
    }
    for (resource, value) in wanted {
        let value =
            rustix::process::getrlimit(resource).maximum.map_or(value, |now| now.min(value));
        let limit = Rlimit { current: Some(value), maximum: Some(value) };
        rustix::process::setrlimit(resource, limit)?;
    }
    Ok(())
}

/// A user namespace in which `inside` is this process's user; it is its superuser until it executes
/// something.
pub fn enter_user_namespace(flags: CloneFlags, inside: u32) -> std::io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER | flags)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{inside} {} 1", uid.as_raw()))?;
    fs::write("/proc/self/gid_map", format!("{inside} {} 1", gid.as_raw()))
}

/// Becomes a user who owns nothing.
pub fn become_nobody(isolation: &Isolation, uid: u32) -> std::io::Result<()> {
    if isolation.user_namespace {
        // Another one within: its user is not the superuser of the outer.
        return enter_user_namespace(CloneFlags::empty(), USER_INSIDE);
    }
    if isolation.own_user {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    }
    Ok(())
}

/// Ends with the parent, whatever happens.
pub fn end_with_parent() -> std::io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// No program that is executed from now on has more privileges than this one.
pub fn no_new_privileges() -> std::io::Result<()> {
    Ok(rustix::thread::set_no_new_privs(true)?)
}
