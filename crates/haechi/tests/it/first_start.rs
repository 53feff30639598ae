//! `kill -9` during the first start, again and again on one directory and at ever later moments:
//! the next start completes what it finds.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::run::{Server, serve};

/// Directories; each is cut off as often as `CUTS` says before it may come up.
const DIRECTORIES: u32 = 12;
const CUTS: u32 = 3;

#[test]
fn a_first_start_that_is_cut_off_anywhere_is_completed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    drop(Server::on(&folder.path().join("measure"), &[]));
    let whole = begun.elapsed();
    for number in 0..DIRECTORIES {
        let data = folder.path().join(format!("data-{number}"));
        for cut in 0..CUTS {
            let moment = whole * (number * CUTS + cut) / (DIRECTORIES * CUTS);
            cut_off(&data, moment);
        }
        let server = Server::on(&data, &[]);
        let credentials = std::fs::read_to_string(data.join("credentials")).unwrap();
        assert!(credentials.contains(&server.text("access_key_id")));
        drop(server);
        // And it is one that starts again as what it was.
        let again = Server::on(&data, &[]);
        let written = std::fs::read_to_string(data.join("credentials")).unwrap();
        assert_eq!(written, credentials);
        assert!(written.contains(&again.text("secret_access_key")));
    }
}

#[test]
fn a_root_key_that_was_made_but_not_written_down_is_written_down_by_the_next_start() {
    let mut server = Server::start(&[]);
    let credentials = server.data.join("credentials");
    let written = std::fs::read_to_string(&credentials).unwrap();
    for _ in 0..3 {
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        std::fs::remove_file(&credentials).unwrap();
        let again = Server::on(&server.data, &[]);
        assert_eq!(again.text("access_key_id"), server.text("access_key_id"));
        server.child = std::process::Command::new("true").spawn().unwrap();
        drop(again);
        assert_eq!(std::fs::read_to_string(&credentials).unwrap(), written);
    }
}

fn cut_off(data: &std::path::Path, moment: Duration) {
    let ready_file = data.with_extension("ready.json");
    let mut command = serve(data, &ready_file, &[]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
}
