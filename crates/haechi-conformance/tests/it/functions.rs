//! Functions that run: Python and Node.js by AWS's own runtime interface clients, rotation of a real
//! PostgreSQL by a function, and functions that mean harm.

use std::time::{Duration, Instant};

use haechi_conformance::postgres::{ADMIN, Postgres};
use haechi_conformance::{Launch, Server, node_modules, python, script};
use serde_json::{Value, json};

/// A configuration with the interpreters of the test environments.
fn configuration(folder: &tempfile::TempDir, reach: &[String]) -> String {
    let environment = python().parent().unwrap().parent().unwrap().canonicalize().unwrap();
    // The environment's interpreter may be a link to one outside of the system's folders.
    let real = python().canonicalize().unwrap();
    let real = real.parent().unwrap().parent().unwrap();
    let modules = node_modules().canonicalize().unwrap();
    let text = format!(
        r#"[lambda]
network = {{ reach = {reach:?} }}

[lambda.runtimes."python3.11"]
command = ["{python}/bin/python3", "-m", "awslambdaric"]
paths = ["{python}", "{real}"]

[lambda.runtimes."nodejs20.x"]
command = ["/usr/bin/node", "{node}/aws-lambda-ric/bin/index.mjs"]
paths = ["{node}"]
"#,
        python = environment.display(),
        real = real.display(),
        node = modules.display(),
    );
    let path = folder.path().join("haechi.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn start(reach: &[String]) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = configuration(&folder, reach);
    (Launch::new().options(&["--config", &path]).start(), folder)
}

#[test]
fn functions_as_boto3_makes_and_invokes_them() {
    let (server, _folder) = start(&[]);
    server.run_script("lambda_functions.py");
}

#[test]
fn asynchronous_invocations_and_events() {
    let (server, _folder) = start(&[]);
    server.run_script("lambda_asynchronous.py");
}

#[test]
fn queues_that_functions_read_and_where_records_go() {
    let (server, _folder) = start(&[]);
    server.run_script("lambda_mappings.py");
}

/// With `--dev`: time passes.
#[test]
fn tries_of_asynchronous_invocations_and_of_rotations() {
    let folder = tempfile::tempdir().unwrap();
    let path = configuration(&folder, &[]);
    Launch::dev().options(&["--config", &path]).start().run_script("lambda_tries.py");
}

#[test]
fn functions_that_mean_harm() {
    let (server, _folder) = start(&[]);
    let mut python = server.client(python());
    python.env("HAECHI_DATA_OF_TEST", server.data());
    server.run_script_with(python, "lambda_bad.py");
}

#[test]
fn the_aws_cli_creates_and_invokes_and_haechi_tells_the_log() {
    let (server, folder) = start(&[]);
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = [
        "iam",
        "create-role",
        "--role-name",
        "run",
        "--assume-role-policy-document",
        trust,
        "--query",
        "Role.Arn",
        "--output",
        "text",
    ];
    let role = server.aws(&role).ok();
    let source = "def handler(event, context):\n    print('heard')\n    return event['n'] + 1\n";
    std::fs::write(folder.path().join("index.py"), source).unwrap();
    let zip = folder.path().join("code.zip");
    let archive =
        "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').write(sys.argv[2], 'index.py')";
    let status = std::process::Command::new(python())
        .args(["-c", archive])
        .arg(&zip)
        .arg(folder.path().join("index.py"))
        .status();
    assert!(status.unwrap().success());
    let (code, out) = (format!("fileb://{}", zip.display()), folder.path().join("out.json"));
    let create = [
        "lambda",
        "create-function",
        "--function-name",
        "plus",
        "--runtime",
        "python3.11",
        "--handler",
        "index.handler",
        "--timeout",
        "30",
        "--role",
        role.trim(),
        "--zip-file",
        &code,
    ];
    server.aws(&create).ok();
    server.aws(&["lambda", "wait", "function-active-v2", "--function-name", "plus"]).ok();
    let invoke = ["lambda", "invoke", "--function-name", "plus", "--payload", r#"{"n": 41}"#];
    let mut invoke = invoke.to_vec();
    let version = server.aws(&["--version"]).ok();
    if version.contains("aws-cli/2") {
        invoke.extend(["--cli-binary-format", "raw-in-base64-out"]);
    }
    invoke.push(out.to_str().unwrap());
    server.aws(&invoke).ok();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "42");
    let mut logs = haechi_conformance::haechi(&["logs", "plus"]);
    let told = logs.arg("--data").arg(server.data()).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("\nheard\nEND RequestId: "), "{told}");
}

fn aws(server: &Server, arguments: &[&str]) -> Value {
    let text = server.aws(&[&["secretsmanager"], arguments].concat()).ok();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn value(server: &Server) -> (String, String) {
    let read = aws(server, &["get-secret-value", "--secret-id", "shop/db"]);
    let value: Value = serde_json::from_str(read["SecretString"].as_str().unwrap()).unwrap();
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    (text("username"), text("password"))
}

/// How long a rotation may take with all that is tried again, until it is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits until the secret says something else, and the version before is not pending any more.
fn wait_for_another(server: &Server, before: &(String, String)) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let told = aws(server, &["describe-secret", "--secret-id", "shop/db"]);
        let stages = told["VersionIdsToStages"].as_object().unwrap();
        let pending =
            stages.values().any(|stages| stages.as_array().unwrap().contains(&json!("AWSPENDING")));
        if !pending && value(server) != *before {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the secret does not change: {}", server.output());
}

fn rotating(more: &[&str]) -> (Server, Postgres, tempfile::TempDir) {
    let postgres = Postgres::start();
    postgres.run("CREATE ROLE app LOGIN PASSWORD 'first'");
    let port = postgres.port().to_string();
    let (server, folder) = start(&[format!("127.0.0.1:{port}")]);
    let mut make = server.client(python());
    make.env("HAECHI_ACCOUNT", &server.ready().account_id);
    make.arg(script("lambda_rotation.py")).arg(&port).args(more);
    let output = make.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}\n{}", server.output());
    (server, postgres, folder)
}

#[test]
fn a_function_rotates_a_user_of_a_real_postgresql() {
    let (server, postgres, _folder) = rotating(&[]);
    wait_for_another(&server, &("app".into(), "first".into()));
    assert!(!postgres.logs_in("app", "first"));
    for _ in 0..2 {
        let before = value(&server);
        aws(&server, &["rotate-secret", "--secret-id", "shop/db"]);
        wait_for_another(&server, &before);
        let (user, password) = value(&server);
        assert!(postgres.logs_in(&user, &password));
    }
}

#[test]
fn a_function_rotates_two_users_in_turns_and_no_login_fails() {
    let (server, postgres, _folder) = rotating(&[ADMIN.0, ADMIN.1]);
    wait_for_another(&server, &("app".into(), "first".into()));
    let mut clients = server.client(python());
    clients.arg(script("secret_logins.py")).args(["shop/db", "postgres"]);
    clients.env("HAECHI_ACCOUNT", &server.ready().account_id);
    clients.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut clients = clients.spawn().unwrap();
    for _ in 0..3 {
        let before = value(&server);
        aws(&server, &["rotate-secret", "--secret-id", "shop/db"]);
        wait_for_another(&server, &before);
        let (user, password) = value(&server);
        assert!(postgres.logs_in(&user, &password));
    }
    drop(clients.stdin.take());
    let output = clients.wait_with_output().unwrap();
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(counts["logins"].as_u64().unwrap() > 3, "{counts}");
    assert_eq!(counts["failures"], 0, "{counts}");
}

#[test]
fn a_kill_between_the_steps_of_a_function_ends_with_a_secret_that_works() {
    let (mut server, postgres, _folder) = rotating(&[]);
    wait_for_another(&server, &("app".into(), "first".into()));
    for round in 0..5 {
        let before = value(&server);
        aws(&server, &["rotate-secret", "--secret-id", "shop/db"]);
        // Anywhere in the four steps, which take some hundreds of milliseconds.
        std::thread::sleep(Duration::from_millis(150 * round));
        server.kill9();
        server.restart();
        wait_for_another(&server, &before);
        let (user, password) = value(&server);
        assert!(postgres.logs_in(&user, &password), "round {round}");
    }
}
