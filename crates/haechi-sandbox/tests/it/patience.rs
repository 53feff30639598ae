//! What is found out on a machine that is too slow to tell.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use haechi_sandbox::Launcher;
use tempfile::TempDir;

#[tokio::test]
async fn a_try_that_comes_to_no_end_is_told_and_weakens_nothing() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("hangs");
    std::fs::write(&program, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let patience = Duration::from_millis(20);
    for own_network in [true, false] {
        let found = Launcher::with_patience(&program, own_network, folder.path(), patience).await;
        assert!(found.is_err(), "weaker: {:?}", found.map(|found| found.isolation()));
    }
}
