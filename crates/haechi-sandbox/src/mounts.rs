//! The files that the program sees.
//!
//! ```text
//! /            empty, read-only
//! /usr, /bin…  the machine's, read-only        /etc   what resolves names, users, certificates
//! /var/task    the code, read-only             /tmp   its own, with a limit
//! /proc        of its own processes            /dev   null, zero, full, random, urandom
//! ```

use std::fs;
use std::io::{Error, Result};
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use crate::privileges::USER_INSIDE;
use crate::spec::Spec;

/// Folders of the system; a symbolic link stays one.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// What programs and libraries read in `/etc`, and what tells nothing of the machine's secrets.
const CONFIGURATION: &[&str] = &[
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/pki/tls",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];

/// Devices that give nothing away.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];

/// Where the code is.
pub const TASK: &str = "/var/task";

/// Where all is put together. Only a place to begin at: what lies in the machine's `/tmp` is seen
/// again as soon as the old root has moved.
const BEGIN: &str = "/tmp";

/// Files in `/tmp`, at most.
const TMP_FILES: u64 = 65_536;

fn said<T, E: Into<Error>>(what: &str, path: &Path, done: std::result::Result<T, E>) -> Result<T> {
    done.map_err(|error| {
        let error: Error = error.into();
        Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
    })
}

/// Replaces all that is seen by what the program may see.
///
/// With `host_names`, names are looked up as the machine does: its network is used.
pub fn enter(spec: &Spec, host_names: bool) -> Result<()> {
    let slave = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    said("making private", Path::new("/"), rustix::mount::mount_change("/", slave))?;
    tmpfs(Path::new(BEGIN), MountFlags::NOSUID | MountFlags::NODEV, "mode=755,size=1m")?;
    let old = Path::new(BEGIN).join("old");
    fs::create_dir(&old)?;
    said("moving the root to", &old, rustix::process::pivot_root(BEGIN, &old))?;
    std::env::set_current_dir("/")?;
    let new = Path::new("/new");
    fs::create_dir(new)?;
    tmpfs(new, MountFlags::NOSUID | MountFlags::NODEV, "mode=755,size=4m")?;
    furnish(spec, Path::new("/old"), new, host_names)?;
    said("closing", new, remount(new, MountFlags::RDONLY))?;
    std::env::set_current_dir(new)?;
    // The old root lies above the new one for a moment, in the same place.
    said("moving the root to", new, rustix::process::pivot_root(".", "."))?;
    said("leaving", Path::new("/old"), rustix::mount::unmount(".", UnmountFlags::DETACH))?;
    std::env::set_current_dir(TASK)
}

fn furnish(spec: &Spec, old: &Path, new: &Path, host_names: bool) -> Result<()> {
    for folder in SYSTEM.iter().map(Path::new) {
        let source = beneath(old, folder);
        match fs::symlink_metadata(&source) {
            Ok(entry) if entry.is_symlink() => {
                symlink(fs::read_link(&source)?, beneath(new, folder))?;
            }
            Ok(entry) if entry.is_dir() => bind(&source, &beneath(new, folder))?,
            _ => {}
        }
    }
    for file in CONFIGURATION.iter().map(Path::new) {
        bind_if_there(old, new, file, file)?;
    }
    if host_names {
        for file in ["/etc/resolv.conf", "/etc/hosts"].map(Path::new) {
            bind_if_there(old, new, file, file)?;
        }
    } else {
        write_hosts(spec, new)?;
    }
    write_users(spec, new)?;
    // Before anything is shown: a runtime may lie in the machine's `/tmp`.
    let tmp = new.join("tmp");
    fs::create_dir_all(&tmp)?;
    let size = format!("mode=1777,size={}m,nr_inodes={TMP_FILES}", spec.limits.tmp_mib);
    tmpfs(&tmp, MountFlags::NOSUID | MountFlags::NODEV, &size)?;
    for one in &spec.binds {
        let source = beneath(old, &one.source);
        said("showing", &one.source, fs::metadata(&source))?;
        bind(&source, &beneath(new, &one.target))?;
    }
    // Before the code is shown, which may lie in one of them.
    for folder in &spec.covered {
        let seen = beneath(new, folder);
        if fs::metadata(&seen).is_ok_and(|entry| entry.is_dir()) {
            let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::RDONLY;
            tmpfs(&seen, flags, "mode=000,size=4k")?;
        }
    }
    bind(&beneath(old, &spec.code), &beneath(new, Path::new(TASK)))?;
    for folder in ["/opt", "/var/runtime", "/proc", "/dev"].map(Path::new) {
        fs::create_dir_all(beneath(new, folder))?;
    }
    devices(old, new)?;
    let proc = new.join("proc");
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    said("mounting", &proc, rustix::mount::mount("proc", &proc, "proc", flags, None))
}

/// `path` as it lies beneath `root`.
fn beneath(root: &Path, path: &Path) -> PathBuf {
    let inner = path.components().filter(|part| matches!(part, Component::Normal(_)));
    root.join(inner.collect::<PathBuf>())
}

fn tmpfs(target: &Path, flags: MountFlags, options: &str) -> Result<()> {
    let options = std::ffi::CString::new(options)?;
    let options = Some(options.as_c_str());
    said("mounting", target, rustix::mount::mount("tmpfs", target, "tmpfs", flags, options))
}

fn bind_if_there(old: &Path, new: &Path, source: &Path, target: &Path) -> Result<()> {
    let source = beneath(old, source);
    match fs::symlink_metadata(&source) {
        Ok(entry) if entry.is_symlink() => {
            let target = beneath(new, target);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            // A link of the machine's, which leads to the system's folders or nowhere.
            symlink(fs::read_link(&source)?, target)
        }
        Ok(_) => bind(&source, &beneath(new, target)),
        Err(_) => Ok(()),
    }
}

/// Shows a file or folder, read-only.
fn bind(source: &Path, target: &Path) -> Result<()> {
    let entry = said("showing", source, fs::metadata(source))?;
    if entry.is_dir() {
        said("making", target, fs::create_dir_all(target))?;
    } else {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        said("making", target, fs::write(target, ""))?;
    }
    said("showing", source, rustix::mount::mount_bind_recursive(source, target))?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    said("closing", target, remount(target, flags))
}

/// Adds flags to a mount; those that it has must stay, as another user namespace may own them.
fn remount(target: &Path, add: MountFlags) -> Result<()> {
    let has = rustix::fs::statvfs(target)?.f_flag;
    let kept = [
        (rustix::fs::StatVfsMountFlags::RDONLY, MountFlags::RDONLY),
        (rustix::fs::StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (rustix::fs::StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (rustix::fs::StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (rustix::fs::StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (rustix::fs::StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (rustix::fs::StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let mut flags = MountFlags::BIND | add;
    for (kept, flag) in kept {
        if has.contains(kept) {
            flags |= flag;
        }
    }
    Ok(rustix::mount::mount_remount(target, flags, "")?)
}

fn devices(old: &Path, new: &Path) -> Result<()> {
    for device in DEVICES {
        let target = new.join("dev").join(device);
        fs::write(&target, "")?;
        let source = old.join("dev").join(device);
        said("showing", &source, rustix::mount::mount_bind(&source, &target))?;
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, new.join("dev").join(name))?;
    }
    Ok(())
}

fn write_hosts(spec: &Spec, new: &Path) -> Result<()> {
    let mut hosts = "127.0.0.1 localhost\n::1 localhost\n".to_owned();
    for (name, address) in &spec.hosts {
        hosts.push_str(&format!("{address} {name}\n"));
    }
    fs::create_dir_all(new.join("etc"))?;
    fs::write(new.join("etc/hosts"), hosts)
}

fn write_users(spec: &Spec, new: &Path) -> Result<()> {
    fs::create_dir_all(new.join("etc"))?;
    let mut passwd = "root:x:0:0:root:/:/sbin/nologin\n".to_owned();
    let mut group = "root:x:0:\n".to_owned();
    for id in [USER_INSIDE, spec.uid] {
        passwd.push_str(&format!("sbx_user{id}:x:{id}:{id}::/tmp:/sbin/nologin\n"));
        group.push_str(&format!("sbx_user{id}:x:{id}:\n"));
    }
    fs::write(new.join("etc/passwd"), passwd)?;
    fs::write(new.join("etc/group"), group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_a_root() {
        let root = Path::new("/new");
        assert_eq!(beneath(root, Path::new("/usr/lib")), Path::new("/new/usr/lib"));
        assert_eq!(beneath(root, Path::new("/../../etc")), Path::new("/new/etc"));
    }
}
