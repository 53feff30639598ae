//! Control groups: what an instance as a whole may use. Version 2, or the older hierarchies.

use std::fs;
use std::path::{Path, PathBuf};

use crate::spec::Limits;

/// Memory of which AWS gives a whole processor, in mebibytes.
const MEMORY_OF_A_PROCESSOR_MIB: u64 = 1769;

/// Where groups of instances can be made.
#[derive(Debug, Clone)]
pub struct Cgroups {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// One hierarchy.
    Unified(PathBuf),
    /// Those for memory, processes and, where it is there, the processor.
    Separate { memory: PathBuf, pids: PathBuf, cpu: Option<PathBuf> },
}

/// The group of an instance; it goes when this is dropped and its processes have ended.
#[derive(Debug)]
pub struct Group {
    folders: Vec<PathBuf>,
    peak: PathBuf,
}

impl Cgroups {
    /// Finds where this process may make groups; `None` where it may not.
    pub fn find() -> Option<Cgroups> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = |controller: &str| {
            own.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':');
                let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
                controllers.split(',').any(|one| one == controller).then(|| path.to_owned())
            })
        };
        let folder = |root: &str, controller: &str| {
            let path = path(controller)?;
            let folder =
                Path::new(root).join(path.trim_start_matches('/')).join("haechi-functions");
            fs::create_dir_all(&folder).ok()?;
            Some(folder)
        };
        let separate = || {
            let memory = folder("/sys/fs/cgroup/memory", "memory")?;
            let pids = folder("/sys/fs/cgroup/pids", "pids")?;
            let cpu = folder("/sys/fs/cgroup/cpu", "cpu");
            Some(Cgroups { kind: Kind::Separate { memory, pids, cpu } })
        };
        let unified = || {
            let own = path("")?;
            let parent = Path::new("/sys/fs/cgroup").join(own.trim_start_matches('/'));
            let controllers = fs::read_to_string(parent.join("cgroup.controllers")).ok()?;
            let has = |name: &str| controllers.split_whitespace().any(|one| one == name);
            if !has("memory") || !has("pids") {
                return None;
            }
            // Refused where processes are in the group itself, which then can have no children
            // with controllers: the service needs a group of its own to give away (`Delegate=`).
            let folder = parent.join("haechi-functions");
            fs::create_dir_all(&folder).ok()?;
            for group in [&parent, &folder] {
                fs::write(group.join("cgroup.subtree_control"), "+memory +pids").ok()?;
            }
            Some(Cgroups { kind: Kind::Unified(folder) })
        };
        let found = separate().or_else(unified)?;
        found.sweep();
        // Made for a try: what can be made can be written to.
        let limits = Limits { memory_mib: 128, tmp_mib: 1, processes: 16, files: 16 };
        let name = format!("try-{}", std::process::id());
        let works = found.group(&name, &limits).is_ok();
        works.then_some(found)
    }

    /// Removes the groups that a process left which has not ended by itself.
    fn sweep(&self) {
        match &self.kind {
            Kind::Unified(root) => sweep(root),
            Kind::Separate { memory, pids, cpu } => {
                [Some(memory), Some(pids), cpu.as_ref()].into_iter().flatten().for_each(|root| {
                    sweep(root);
                });
            }
        }
    }

    /// Makes the group of an instance.
    ///
    /// # Errors
    /// If a limit cannot be set.
    pub fn group(&self, name: &str, limits: &Limits) -> std::io::Result<Group> {
        let bytes = limits.memory_mib.saturating_mul(1 << 20).to_string();
        let weight = |whole: u64| (limits.memory_mib * whole / MEMORY_OF_A_PROCESSOR_MIB).max(2);
        let (folders, peak, settings) = match &self.kind {
            Kind::Unified(root) => {
                let group = root.join(name);
                let settings = vec![
                    (group.join("memory.max"), bytes, true),
                    (group.join("memory.swap.max"), "0".to_owned(), false),
                    (group.join("pids.max"), limits.processes.to_string(), true),
                    (group.join("cpu.weight"), weight(100).min(10_000).to_string(), false),
                ];
                (vec![group.clone()], group.join("memory.peak"), settings)
            }
            Kind::Separate { memory, pids, cpu } => {
                let (memory, pids) = (memory.join(name), pids.join(name));
                let mut settings = vec![
                    (memory.join("memory.limit_in_bytes"), bytes.clone(), true),
                    (memory.join("memory.memsw.limit_in_bytes"), bytes, false),
                    (pids.join("pids.max"), limits.processes.to_string(), true),
                ];
                let peak = memory.join("memory.max_usage_in_bytes");
                let mut folders = vec![memory, pids];
                if let Some(cpu) = cpu.as_ref().map(|cpu| cpu.join(name)) {
                    settings.push((cpu.join("cpu.shares"), weight(1024).to_string(), false));
                    folders.push(cpu);
                }
                (folders, peak, settings)
            }
        };
        let group = Group { folders, peak };
        for folder in &group.folders {
            fs::create_dir_all(folder)?;
        }
        for (file, value, needed) in settings {
            let written = fs::write(file, value);
            if needed {
                written?;
            }
        }
        Ok(group)
    }
}

/// Removes the groups under `root` whose process is no more; those that are in use stay.
fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let maker = name.to_str().and_then(maker);
        let is_left = maker.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists());
        if is_left {
            // Refused while something still dies in it; the next start tries again.
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// The process that made a group: `<pid>-<number>` of instances, `try-<pid>` of tries.
fn maker(name: &str) -> Option<u32> {
    let (first, second) = name.split_once('-')?;
    let pid = if first == "try" { second } else { first };
    pid.parse().ok()
}

impl Group {
    /// Puts a process into the group; its children are then born there.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn add(&self, pid: u32) -> std::io::Result<()> {
        self.folders
            .iter()
            .try_for_each(|folder| fs::write(folder.join("cgroup.procs"), pid.to_string()))
    }

    /// The most memory that it has used, in mebibytes.
    pub fn peak_mib(&self) -> Option<u64> {
        let bytes: u64 = fs::read_to_string(&self.peak).ok()?.trim().parse().ok()?;
        Some(bytes.div_ceil(1 << 20))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in &self.folders {
            // Busy as long as processes are dying in it: whoever makes groups again clears up.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_processes_that_are_no_more_go_and_others_stay() {
        let root = tempfile::TempDir::new().unwrap();
        // No process has a number so high: the kernel's bound is 2^22.
        let (gone, own) = (u32::MAX, std::process::id());
        let names = [
            format!("{gone}-0"),
            format!("try-{gone}"),
            format!("{own}-0"),
            format!("try-{own}"),
            "another".to_owned(),
        ];
        names.iter().for_each(|name| fs::create_dir(root.path().join(name)).unwrap());
        sweep(root.path());
        let left: Vec<bool> = names.iter().map(|name| root.path().join(name).exists()).collect();
        assert_eq!(left, [false, false, true, true, true]);
    }
}
