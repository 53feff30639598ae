//! `haechi exec --secrets` and `haechi render`: parameters and secrets into a process or a file.

use haechi_conformance::{Launch, Server, haechi, mode, places_of};

/// What the command printed, and whether it was done.
fn run(server: &Server, words: &[&str], rest: &[&str]) -> (bool, String) {
    let data = server.data().to_str().unwrap();
    let all = [words, &["--data", data], rest].concat();
    let output = haechi(&all).env("LEAK", "no").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn prepared() -> Server {
    let server = Launch::new().start();
    for (name, kind, value) in [
        ("/shop/prod/db/host", "String", "db.internal"),
        ("/shop/prod/db/password", "SecureString", "hunter2-parameter"),
        ("/shop/test/db/host", "String", "elsewhere"),
    ] {
        let put = ["ssm", "put-parameter", "--name", name, "--type", kind, "--value", value];
        server.aws(&put).ok();
    }
    let json = r#"{"username":"app","password":"hunter2-secret","port":5432}"#;
    server
        .aws(&["secretsmanager", "create-secret", "--name", "shop/db", "--secret-string", json])
        .ok();
    server
}

#[test]
fn a_process_gets_what_a_path_and_a_secret_hold_and_no_credentials() {
    let server = prepared();
    let (done, output) = run(
        &server,
        &["exec", "--secrets", "/shop/prod"],
        &["--", "sh", "-c", "echo $DB_HOST $DB_PASSWORD $AWS_SECRET_ACCESS_KEY."],
    );
    assert!(done, "{output}");
    assert_eq!(output, "db.internal hunter2-parameter .\n");
    let (done, output) = run(
        &server,
        &["exec", "--secrets", "shop/db"],
        &["--", "sh", "-c", "echo $USERNAME $PASSWORD $PORT"],
    );
    assert!(done, "{output}");
    assert_eq!(output, "app hunter2-secret 5432\n");
    let (done, output) = run(&server, &["exec", "--secrets", "/nowhere"], &["--", "true"]);
    assert!(!done && output.contains("there are no parameters under /nowhere"), "{output}");
    let (done, output) = run(&server, &["exec", "--secrets", "none"], &["--", "true"]);
    assert!(!done && output.contains("ResourceNotFoundException"), "{output}");
}

#[test]
fn a_parameter_does_not_decide_which_code_a_process_runs() {
    let server = prepared();
    let put = ["ssm", "put-parameter", "--name", "/tools/path", "--type", "String"];
    server.aws(&[&put[..], &["--value", "/nowhere"]].concat()).ok();
    let exec = ["exec", "--secrets", "/tools"];
    let (done, output) = run(&server, &exec, &["--", "echo", "ran"]);
    assert!(!done && output.contains("--allow PATH") && !output.contains("ran"), "{output}");
    let shown = ["--allow", "PATH", "--", "/bin/sh", "-c", "echo $PATH"];
    let (done, output) = run(&server, &exec, &shown);
    assert!(done, "{output}");
    assert_eq!(output, "/nowhere\n");
}

#[test]
fn a_template_is_filled_in_and_its_file_is_its_owners_alone() {
    let server = prepared();
    let template = server.scratch().join("app.template");
    let (output, path) = (server.scratch().join("app.conf"), template.to_str().unwrap());
    let text = "host={{resolve:ssm:/shop/prod/db/host:1}}\n\
        password={{resolve:ssm-secure:/shop/prod/db/password}}\n\
        port={{resolve:secretsmanager:shop/db:SecretString:port}}\n";
    std::fs::write(&template, text).unwrap();
    let expected = "host=db.internal\npassword=hunter2-parameter\nport=5432\n";
    let (done, printed) = run(&server, &["render"], &[path]);
    assert!(done, "{printed}");
    assert_eq!(printed, expected);
    let file = output.to_str().unwrap();
    let (done, printed) = run(&server, &["render", "--output", file], &[path]);
    assert!(done, "{printed}");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), expected);
    assert_eq!(mode(&output), 0o600);
    // Nowhere else: neither what is stored nor what is recorded shows it.
    assert_eq!(places_of(b"hunter2", server.data()), Vec::<std::path::PathBuf>::new());
    std::fs::write(&template, "{{resolve:ssm:/shop/prod/db/password}}").unwrap();
    let (done, printed) = run(&server, &["render"], &[path]);
    assert!(!done && printed.contains("must be resolved with ssm-secure"), "{printed}");
    std::fs::write(&template, "{{resolve:ssm:/nowhere}}").unwrap();
    let (done, printed) = run(&server, &["render", "--output", file], &[path]);
    assert!(!done && printed.contains("/nowhere cannot be read"), "{printed}");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), expected, "a failure leaves the file");
}
