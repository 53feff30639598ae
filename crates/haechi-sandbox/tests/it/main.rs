//! What a function can do, and what it cannot: real processes, shut in as this machine allows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod patience;
mod world;

use std::time::Duration;

use haechi_sandbox::{Exit, InitFailure, Outcome};
use world::{COVERED, World};

#[tokio::test]
async fn an_instance_answers_event_after_event_and_keeps_its_state() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    for count in 1..4 {
        let code = "state['n'] = state.get('n', 0) + 1\nresult = state['n']";
        assert_eq!(instance.run(code).await, serde_json::json!(count));
    }
    instance.end().await;
}

#[tokio::test]
async fn what_is_printed_is_there_when_the_answer_is() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    instance.run("print('first', flush=True)").await;
    assert_eq!(instance.log(), "first\n");
    instance.end().await;
}

#[tokio::test]
async fn a_failure_to_begin_is_told_in_the_runtimes_words() {
    let world = World::new().await;
    let mut instance = world.launch(&[("FAIL_AT_START", "1")]).await;
    let failure = instance.ready().await.unwrap_err();
    assert!(matches!(&failure, InitFailure::Error(body) if body.starts_with(b"{")), "{failure:?}");
    instance.end().await;
}

#[tokio::test]
async fn an_end_is_told_with_its_code_or_signal() {
    let world = World::new().await;
    for (code, exit) in [
        ("os._exit(3)", Exit::Code(3)),
        ("import signal; signal.signal(11, 0); os.abort()", Exit::Signal(6)),
    ] {
        let mut instance = world.start(&[]).await;
        let outcome = instance.outcome(code, Duration::from_secs(30)).await;
        // The first process of a namespace cannot abort itself by every kernel's rules.
        let told = matches!(outcome, Outcome::Exited(told) if told == exit)
            || matches!(outcome, Outcome::Exited(Exit::Signal(_)));
        assert!(told, "{outcome:?}");
        instance.end().await;
    }
}

#[tokio::test]
async fn what_takes_too_long_is_ended_with_all_that_it_began() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    let code = "
import subprocess
subprocess.Popen(['/bin/sh', '-c', 'exec sleep 987654'], start_new_session=True)
time.sleep(1000)";
    let outcome = instance.outcome(code, Duration::from_secs(2)).await;
    assert!(matches!(outcome, Outcome::TimedOut), "{outcome:?}");
    instance.end().await;
    assert_eq!(world::processes_with("987654"), 0);
}

#[tokio::test]
async fn the_machines_files_are_not_there() {
    let world = World::new().await;
    let secret = world.path().join("secret");
    std::fs::write(&secret, "plain").unwrap();
    let mut instance = world.start(&[]).await;
    if !world.isolation().mounts {
        return;
    }
    let code = format!("result = os.path.exists({:?})", secret.to_str().unwrap());
    assert_eq!(instance.run(&code).await, serde_json::json!(false));
    for path in ["/root", "/home", "/etc/shadow", "/var/lib", "/sys", "/proc/1/root/root"] {
        let code = format!("result = os.path.exists({path:?})");
        assert_eq!(instance.run(&code).await, serde_json::json!(false), "{path}");
    }
    instance.end().await;
}

#[tokio::test]
async fn a_runtime_is_seen_also_where_it_lies_in_the_machines_tmp() {
    let world = World::new().await;
    let version = world.runtime().join("version");
    let version = version.to_str().unwrap();
    let mut instance = world.start(&[]).await;
    let code = format!("result = open({version:?}).read()");
    assert_eq!(instance.run(&code).await, serde_json::json!("3"));
    if world.isolation().mounts {
        let code = format!(
            "try:\n    open({version:?}, 'w')\nexcept OSError as error:\n    result = error.errno"
        );
        assert!(matches!(instance.run(&code).await.as_i64(), Some(30 | 13)));
        let code = "open('/tmp/own', 'w').write('x')\nresult = os.path.exists('/tmp/own')";
        assert_eq!(instance.run(code).await, serde_json::json!(true));
    }
    instance.end().await;
}

#[tokio::test]
async fn a_covered_folder_is_empty_also_within_what_is_seen() {
    // Only root can put something where functions see it.
    let folder = std::path::Path::new(COVERED);
    if std::fs::create_dir_all(folder).is_err() {
        return;
    }
    std::fs::write(folder.join("root.key"), "plain").unwrap();
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    if world.isolation().mounts {
        let code = format!("result = os.path.exists('{COVERED}/root.key')");
        assert_eq!(instance.run(&code).await, serde_json::json!(false));
        let code = "result = os.path.isdir('/usr/local/share')";
        assert_eq!(instance.run(code).await, serde_json::json!(true));
    }
    instance.end().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn files_are_written_in_tmp_alone_and_not_without_end() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    if !world.isolation().mounts {
        return;
    }
    for path in ["/x", "/usr/x", "/etc/x", "/var/task/x", "/dev/x", "/opt/x", "/var/x"] {
        let code = format!(
            "try:\n    open({path:?}, 'w')\nexcept OSError as error:\n    result = error.errno"
        );
        let errno = instance.run(&code).await.as_i64();
        assert!(matches!(errno, Some(30 | 13)), "{path}: {errno:?}");
    }
    assert_eq!(
        instance.run("open('/tmp/x', 'w').write('y'); result = open('/tmp/x').read()").await,
        serde_json::json!("y")
    );
    let fill = "
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    for number in range(100):
        with open(f'/tmp/{number}', 'wb') as file:
            file.write(bytes(1 << 20))
except OSError as error:
    result = [number, error.errno]";
    let told = instance.run(fill).await;
    assert!(told[0].as_i64().unwrap() <= 16, "{told}");
    assert!(matches!(told[1].as_i64(), Some(27 | 28)), "{told}");
    instance.end().await;
}

#[tokio::test]
async fn processes_are_limited_and_those_of_the_machine_are_not_seen() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    let bomb = "
count = 0
try:
    while count < 5000:
        if os.fork() == 0:
            time.sleep(1000)
        count += 1
except OSError:
    pass
result = count";
    let count = instance.run(bomb).await.as_i64().unwrap();
    assert!(count < 100, "{count}");
    if world.isolation().processes {
        let seen = instance.run("result = len([p for p in os.listdir('/proc') if p.isdigit()])");
        assert!(seen.await.as_i64().unwrap() <= count + 2);
    }
    instance.end().await;
}

#[tokio::test]
async fn nothing_is_reached_but_what_is_given() {
    let world = World::new().await;
    let (destination, served) = world::echo().await;
    let other = world::echo().await.1;
    let mut instance = world.start_reaching(&[destination]).await;
    if !world.isolation().network {
        return;
    }
    let reach = |port: u16| {
        format!(
            "import socket\ntry:\n    s = socket.create_connection(('127.0.0.1', {port}), 5)\n    \
             s.sendall(b'hello')\n    result = s.recv(9).decode()\nexcept OSError as error:\n    \
             result = type(error).__name__"
        )
    };
    assert_eq!(instance.run(&reach(served)).await, serde_json::json!("hello"));
    let refused = instance.run(&reach(other)).await;
    assert_eq!(refused, serde_json::json!("ConnectionRefusedError"));
    let names = instance.run("result = os.listdir('/sys') if os.path.exists('/sys') else []").await;
    assert_eq!(names, serde_json::json!([]));
    instance.end().await;
}

#[tokio::test]
async fn no_privilege_is_there_or_can_be_had() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    let status = "
lines = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)
result = [lines['CapEff'], lines['CapPrm'], lines['NoNewPrivs'], lines['Seccomp'], os.getuid()]";
    let told = instance.run(status).await;
    assert_eq!(told[0], "0000000000000000", "{told}");
    assert_eq!(told[1], "0000000000000000", "{told}");
    assert_eq!(told[2], "1", "{told}");
    if world.isolation().seccomp {
        assert_eq!(told[3], "2", "{told}");
        let code = "
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
result = [libc.unshare(0x10000000), ctypes.get_errno(), libc.ptrace(0, 0, 0, 0)]";
        assert_eq!(instance.run(code).await, serde_json::json!([-1, 1, -1]));
    }
    assert_ne!(told[4], 0);
    instance.end().await;
}

#[tokio::test]
async fn a_flood_on_the_log_neither_stops_the_clock_nor_the_answer() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    let flood = "
while True:
    sys.stdout.write('x' * 65536)";
    let outcome = instance.outcome(flood, Duration::from_secs(2)).await;
    assert!(matches!(outcome, Outcome::TimedOut), "{outcome:?}");
    instance.end().await;
}

#[tokio::test]
async fn memory_beyond_the_limit_is_the_functions_end_or_its_error() {
    let world = World::new().await;
    let mut instance = world.start(&[]).await;
    let outcome = instance
        .outcome(
            "x = bytearray(3 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1",
            Duration::from_secs(60),
        )
        .await;
    let ended = matches!(outcome, Outcome::Exited(_) | Outcome::Error(_));
    assert!(ended, "{outcome:?}");
    instance.end().await;
}
