//! Secrets of a real PostgreSQL, and of something that a hook sets, rotated by the real binary while
//! clients log in, and cut off by `kill -9`.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use haechi_conformance::postgres::{ADMIN, Postgres};
use haechi_conformance::{Launch, Server, python, script};
use serde_json::{Value, json};

const SECRET: &str = "shop/db";

/// Attaches `app` as the README says.
fn attach(server: &Server, postgres: &Postgres, more: &[&str]) {
    let port = postgres.port().to_string();
    let mut command = haechi_conformance::haechi(&["secrets", "attach", "postgres", SECRET]);
    command.args(["--host", "127.0.0.1", "--port", &port, "--user", "app"]).args(more);
    command.arg("--data").arg(server.data());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"first\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
}

fn aws(server: &Server, arguments: &[&str]) -> Value {
    let text = server.aws(&[&["secretsmanager"], arguments].concat()).ok();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn value(server: &Server) -> (String, String) {
    let read = aws(server, &["get-secret-value", "--secret-id", SECRET]);
    let value: Value = serde_json::from_str(read["SecretString"].as_str().unwrap()).unwrap();
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    (text("username"), text("password"))
}

/// Waits until no version is pending.
fn wait_for_rotation(server: &Server) {
    // A rotation that failed is tried again after a minute.
    for _ in 0..1200 {
        let told = aws(server, &["describe-secret", "--secret-id", SECRET]);
        let stages = told["VersionIdsToStages"].as_object().unwrap();
        let pending = stages.values().any(|stages| {
            let stages = stages.as_array().unwrap();
            stages.contains(&json!("AWSPENDING")) && !stages.contains(&json!("AWSCURRENT"))
        });
        if !pending && told.get("LastRotatedDate").is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the rotation does not end: {}", server.output());
}

/// Rotates once more and waits for it.
fn rotate(server: &Server) {
    let before = value(server);
    aws(server, &["rotate-secret", "--secret-id", SECRET]);
    for _ in 0..600 {
        if value(server) != before {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the secret does not change: {}", server.output());
}

fn clients(server: &Server, more: &[&str]) -> Child {
    let mut command: Command = server.client(python());
    command.arg(script("secret_logins.py")).args([SECRET, "postgres"]).args(more);
    command.env("HAECHI_ACCOUNT", &server.ready().account_id);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Ends the clients; answers how often they logged in, and how often that failed.
fn counts(mut clients: Child) -> (u64, u64) {
    drop(clients.stdin.take());
    let output = clients.wait_with_output().unwrap();
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    (counts["logins"].as_u64().unwrap(), counts["failures"].as_u64().unwrap())
}

fn with_user() -> Postgres {
    let postgres = Postgres::start();
    postgres.run("CREATE ROLE app LOGIN PASSWORD 'first'");
    postgres
}

#[test]
fn with_two_users_in_turns_no_login_fails_at_any_moment() {
    let (server, postgres) = (Launch::new().start(), with_user());
    let admin = json!({
        "engine": "postgres", "host": "127.0.0.1", "port": postgres.port(),
        "username": ADMIN.0, "password": ADMIN.1,
    });
    let input = ["create-secret", "--name", "shop/admin", "--secret-string", &admin.to_string()];
    let master = aws(&server, &input)["ARN"].as_str().unwrap().to_owned();
    attach(&server, &postgres, &["--master", &master]);
    wait_for_rotation(&server);
    let clients = clients(&server, &[]);
    for _ in 0..6 {
        rotate(&server);
    }
    let (logins, failures) = counts(clients);
    assert!(logins > 6, "{logins} logins");
    assert_eq!(failures, 0, "of {logins} logins");
}

#[test]
fn with_one_user_whoever_tries_again_with_pauses_is_let_in() {
    let (server, postgres) = (Launch::new().start(), with_user());
    attach(&server, &postgres, &[]);
    wait_for_rotation(&server);
    assert!(!postgres.logs_in("app", "first"));
    let told = server.operator(&["audit", "tail"], &["--json", "--lines", "1000"]).ok();
    let of = |name: &str, agent: &str| {
        let (name, agent) = (format!("\"eventName\":\"{name}\""), format!("\"{agent}\""));
        told.lines().filter(|line| line.contains(&name) && line.contains(&agent)).count()
    };
    assert_eq!(of("CreateSecret", "haechi secrets"), 1, "{told}");
    assert!(of("Decrypt", "secretsmanager.amazonaws.com") > 0, "{told}");
    assert!(of("GenerateDataKey", "secretsmanager.amazonaws.com") > 0, "{told}");
    let clients = clients(&server, &["retry"]);
    for _ in 0..6 {
        rotate(&server);
    }
    let (logins, failures) = counts(clients);
    assert!(logins > 6, "{logins} logins");
    assert_eq!(failures, 0, "of {logins} logins");
}

#[test]
fn a_kill_of_haechi_or_of_the_database_at_any_moment_ends_with_a_secret_that_works() {
    let (mut server, mut postgres) = (Launch::new().start(), with_user());
    attach(&server, &postgres, &[]);
    wait_for_rotation(&server);
    for round in 0..8 {
        aws(&server, &["rotate-secret", "--secret-id", SECRET]);
        // Anywhere in the rotation, which takes some tens of milliseconds.
        std::thread::sleep(Duration::from_millis(7 * round));
        if round == 3 {
            postgres.crash();
        }
        server.kill9();
        server.restart();
        wait_for_rotation(&server);
        let (user, password) = value(&server);
        assert!(postgres.logs_in(&user, &password), "round {round}");
    }
}

/// A hook that runs until it is dropped.
struct Hook(Child);

impl Drop for Hook {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the hook of a service whose password lies in a folder; answers its port.
fn hook(folder: &Path) -> (Hook, String) {
    let key = "0123456789abcdef0123456789abcdef";
    std::fs::write(folder.join("hook.key"), format!("{key}\n")).unwrap();
    std::fs::write(folder.join("password"), "first").unwrap();
    let mut command = Command::new(python());
    let child = command.arg(script("rotation_hook.py")).arg(folder).spawn().unwrap();
    let hook = Hook(child);
    for _ in 0..600 {
        if let Ok(port) = std::fs::read_to_string(folder.join("port")) {
            return (hook, port);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the hook does not start");
}

/// Attaches what the hook sets; answers what the command says if it fails.
fn attach_hook(server: &Server, folder: &Path, port: &str, password: &str) -> Result<(), String> {
    let url = format!("https://localhost:{port}/rotate");
    let mut command = haechi_conformance::haechi(&["secrets", "attach", "http", SECRET]);
    command.args(["--url", &url, "--user", "app", "--key-file"]).arg(folder.join("hook.key"));
    command.arg("--data").arg(server.data());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(told) }
}

#[test]
fn what_a_hook_sets_works_after_a_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let ca = crate::notifications::certificate(folder.path());
    let config = folder.path().join("haechi.toml");
    std::fs::write(&config, format!("[outbound]\nca_bundle = \"{ca}\"\n")).unwrap();
    let mut server = Launch::new().options(&["--config", config.to_str().unwrap()]).start();
    let (_hook, port) = hook(folder.path());
    let wrong = attach_hook(&server, folder.path(), &port, "not the password").unwrap_err();
    assert!(wrong.contains("nothing was made") && wrong.contains("403"), "{wrong}");
    attach_hook(&server, folder.path(), &port, "first").unwrap();
    wait_for_rotation(&server);
    let set = || std::fs::read_to_string(folder.path().join("password")).unwrap();
    assert_ne!(set(), "first");
    for round in 0..6 {
        aws(&server, &["rotate-secret", "--secret-id", SECRET]);
        // Anywhere in the rotation.
        std::thread::sleep(Duration::from_millis(9 * round));
        server.kill9();
        server.restart();
        wait_for_rotation(&server);
        assert_eq!(value(&server), ("app".to_owned(), set()), "round {round}");
    }
}
