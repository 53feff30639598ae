//! The Python halves: each script of `tests/scripts` is one test here, with a server of its own.

use haechi_conformance::Launch;

macro_rules! scripts {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            Launch::new().start().run_script(concat!(stringify!($name), ".py"));
        }
    )*};
}

scripts! {
    cloudtrail
    envelope_walk
    events
    iam_credentials
    iam_policies
    iam_public_keys
    iam_roles
    iam_simulation
    iam_users
    kms_aliases
    kms_asymmetric
    kms_crypto
    kms_deletion
    kms_import
    kms_grants
    kms_keys
    kms_multi_region
    kms_openssl
    kms_policies
    kms_validation
    resource_policies
    secretsmanager
    signatures
    sns
    sqs
    sqs_query
    ssm
    sts_sessions
    terraform
    sts_web_identity
}

/// With the newest openssl there is: the one that Python's `cryptography` brings.
#[test]
fn kms_post_quantum() {
    let server = Launch::new().start();
    let python = server.client(haechi_conformance::python_command("python3"));
    server.run_script_with(python, "kms_post_quantum.py");
}

/// With `--dev`: time passes.
#[test]
fn kms_rotation() {
    Launch::dev().start().run_script("kms_rotation.py");
}

/// With `--dev`: time passes, and other accounts call.
#[test]
fn events_in_time_and_between_accounts() {
    Launch::dev().start().run_script("events_dev.py");
}

/// With `--dev`: time passes.
#[test]
fn scheduler() {
    Launch::dev().start().run_script("scheduler.py");
}

/// With `--dev`: time passes, and other accounts call.
#[test]
fn message_keys() {
    Launch::dev().start().run_script("message_keys.py");
}

/// With `--dev`: the members of an organization call as root users without keys.
#[test]
fn organizations() {
    Launch::dev().start().run_script("organizations.py");
}

/// As everybody runs it: AWS's request quotas bind.
#[test]
fn kms_throttling() {
    let server = Launch::new().options(&["--request-quotas", "true"]).start();
    server.run_script("kms_throttling.py");
}

/// As everybody runs it: the request quotas of IAM and Organizations bind too.
#[test]
fn identity_throttling() {
    let server = Launch::new().options(&["--request-quotas", "true"]).start();
    server.run_script("identity_throttling.py");
}
