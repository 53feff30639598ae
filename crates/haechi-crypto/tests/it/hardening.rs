//! Protections of the whole process, hence tested in a child.

use std::fs;

use haechi_crypto::process_hardening;

use crate::child;

#[test]
fn a_hardened_process_dumps_no_core_and_is_not_dumpable() {
    if !child::is_child() {
        let name = "hardening::a_hardened_process_dumps_no_core_and_is_not_dumpable";
        return child::run(name, &[]);
    }
    process_hardening().unwrap();
    process_hardening().expect("a second call must not fail");
    let limits = fs::read_to_string("/proc/thread-self/limits").unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
    let dumpable = rustix::process::dumpable_behavior().unwrap();
    assert_eq!(dumpable, rustix::process::DumpableBehavior::NotDumpable);
}
