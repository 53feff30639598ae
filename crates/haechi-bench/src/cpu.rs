//! CPU time of a process, thread by thread, from the kernel's scheduler (nanoseconds; the ticks of
//! `/proc/PID/stat` would be too coarse).

use std::collections::BTreeMap;
use std::fs;

use crate::Failure;

/// Nanoseconds on a CPU so far, by thread name; threads of one name are added up.
pub fn by_thread(pid: u32) -> Result<BTreeMap<String, u64>, Failure> {
    let mut threads = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        // A thread may end while we look.
        let Ok(name) = fs::read_to_string(task.join("comm")) else { continue };
        let Ok(times) = fs::read_to_string(task.join("schedstat")) else { continue };
        let on_cpu: u64 = times.split_whitespace().next().unwrap_or_default().parse()?;
        *threads.entry(name.trim().to_owned()).or_default() += on_cpu;
    }
    Ok(threads)
}

/// What was used between two looks, in nanoseconds.
pub fn used(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let since = |name: &String, now: &u64| now.saturating_sub(*before.get(name).unwrap_or(&0));
    after.iter().map(|(name, now)| (name.clone(), since(name, now))).collect()
}
