//! Time, randomness and ids come from `haechi_core::Env`, so that tests can set them.
//!
//! Direct use is found outside the places named here. Tests may do as they like.

use super::source::Source;

/// What reads the world directly, and the places (path prefixes) that may, each with its reason.
const RULES: &[(&[&str], &[&str])] = &[
    (
        &["SystemTime::now", "Timestamp::now", "Zoned::now", "UtcDateTime::now", "Utc::now"],
        &[
            // The one real clock.
            "crates/haechi-core/src/env.rs",
            // Load generators date their requests.
            "crates/haechi-bench/",
            "xtask/src/bench",
            // Harness of the real-client tests.
            "crates/haechi-conformance/",
            // The rule itself.
            "xtask/src/tidy/injection.rs",
        ],
    ),
    (
        // Elapsed time: for measuring and for time-outs, never for a decision that a test moves.
        &["Instant::now"],
        &[
            "crates/haechi-core/src/env.rs",
            // How many messages a peer has sent in the last second.
            "crates/haechi-peer/src/listener.rs",
            // How long an answer took, for the metrics.
            "crates/haechi-gateway/src/serve.rs",
            // How long the runner sleeps until the next job.
            "crates/haechi-core/src/jobs/runner.rs",
            // How old what a node knows may be: a clock that jumps must not matter.
            "crates/haechi-core/src/cluster/",
            // How long a caller still waits for a message.
            "crates/haechi-sqs/src/op/receive_message.rs",
            // How long the servers may take to answer.
            "crates/haechi-store-etcd/src/",
            // How long a function's process may take, whatever the time of day.
            "crates/haechi-sandbox/src/instance.rs",
            "crates/haechi-bench/",
            "crates/haechi-conformance/",
            "crates/haechi-testkit/",
            // Virtual time.
            "sim/",
            "xtask/",
        ],
    ),
    (
        &[
            "SystemRandom",
            "rand::fill",
            "thread_rng",
            "rand::rng(",
            "rand::random",
            "OsRng",
            "getrandom",
            "/dev/urandom",
            "/dev/random",
        ],
        &[
            "crates/haechi-crypto/",
            // Bare cryptography is measured, and its frames are named in a profile.
            "crates/haechi-bench/",
            "xtask/src/bench",
            // They make the `Env` that everything else gets.
            "crates/haechi/src/",
            "crates/haechi-testkit/",
            // RSA PKCS#1 v1.5 draws none, but its interface asks for a source.
            "crates/haechi-cloudtrail/src/signing_key.rs",
            "xtask/src/tidy/injection.rs",
        ],
    ),
    (&["Uuid::new_v4", "Uuid::now_v7"], &["xtask/src/tidy/injection.rs"]),
];

/// Answers each line of one file that reads time or randomness where it may not.
pub fn check(file: &Source) -> Vec<String> {
    if file.is_test() || file.is_generated() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let code = file.code();
    for (patterns, places) in RULES {
        if places.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        for (number, line) in &code {
            for pattern in patterns.iter().filter(|pattern| line.contains(**pattern)) {
                findings.push(format!(
                    "{}:{number}: `{pattern}`: take it from haechi_core::Env, or name the place \
                     with its reason in xtask/src/tidy/injection.rs",
                    file.path
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Source, check};

    fn findings(path: &str, text: &str) -> usize {
        check(&Source { path: path.into(), text: text.into() }).len()
    }

    #[test]
    fn the_wall_clock_is_found_outside_the_clock() {
        let text = "let t = std::time::SystemTime::now();\n";
        assert_eq!(findings("crates/haechi-kms/src/key.rs", text), 1);
        assert_eq!(findings("crates/haechi-core/src/env.rs", text), 0);
    }

    #[test]
    fn randomness_is_found_outside_the_crypto_crate() {
        let text = "let rng = SystemRandom::new();\nlet id = Uuid::new_v4();\n";
        assert_eq!(findings("crates/haechi-kms/src/key.rs", text), 2);
        assert_eq!(findings("crates/haechi-crypto/src/rng.rs", text), 1);
    }

    #[test]
    fn tests_and_comments_may_say_it() {
        assert_eq!(findings("crates/haechi-kms/src/key/tests.rs", "Instant::now();\n"), 0);
        assert_eq!(findings("crates/haechi-kms/src/key.rs", "// not Instant::now()\n"), 0);
    }
}
