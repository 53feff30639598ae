//! Which crate may depend on which: the drawing of ARCHITECTURE.md as data.
//!
//! Only normal and build dependencies are arrows; a test may use anything that it needs to stand in
//! the world (`haechi-testkit` above all).

/// Crates that depend on nothing of ours.
const LEAVES: &[&str] = &[
    "haechi-crypto",
    "haechi-jwt",
    "haechi-log",
    "haechi-policy",
    "haechi-rules",
    "haechi-sandbox",
    "haechi-schedule",
    "haechi-sigv4",
    "haechi-store",
    "haechi-wire",
];

/// Crates with a list of their own; `*-model` and `haechi-store-*` are patterns below.
const NAMED: &[(&str, &[&str])] = &[
    (
        "haechi-core",
        &["haechi-crypto", "haechi-log", "haechi-policy", "haechi-store", "haechi-wire"],
    ),
    // Policies and secret keys only pass through it, in the types of their crates.
    (
        "haechi-gateway",
        &["haechi-core", "haechi-crypto", "haechi-policy", "haechi-sigv4", "haechi-wire"],
    ),
    // Data keys of KMS, for services that keep messages.
    ("haechi-sse", &["haechi-core", "haechi-kms-model", "haechi-policy", "haechi-wire"]),
    // A protocol between two KMSs: it knows neither of them.
    ("haechi-xks", &["haechi-crypto", "haechi-sigv4"]),
    // A protocol between two deployments: it knows neither's services.
    ("haechi-peer", &["haechi-crypto"]),
];

/// What every service may use, beside its own and other services' models. (`Fault` and the times of
/// its shapes are `haechi-wire`'s; codecs it never sees.)
const SERVICE: &[&str] = &[
    "haechi-core",
    "haechi-crypto",
    "haechi-policy",
    "haechi-rules",
    "haechi-schedule",
    "haechi-sse",
    "haechi-store",
    "haechi-wire",
];

/// May use everything; nothing may use them but tests.
const TOPS: &[&str] = &[
    "haechi",
    "haechi-bench",
    "haechi-conformance",
    "haechi-testkit",
    "haechi-testkit-kms",
    "xtask",
];

/// A package of the workspace and what it depends on, outside tests.
pub struct Package {
    name: String,
    dependencies: Vec<String>,
}

/// Reads the packages and their arrows from `cargo metadata --no-deps`.
pub fn packages(metadata: &serde_json::Value) -> Vec<Package> {
    let list = |value: &serde_json::Value, name: &str| {
        value.get(name).and_then(|list| list.as_array()).cloned().unwrap_or_default()
    };
    let text = |value: &serde_json::Value, name: &str| {
        value.get(name).and_then(|text| text.as_str()).unwrap_or_default().to_owned()
    };
    let arrow = |dependency: &serde_json::Value| {
        let for_tests = dependency.get("kind").and_then(|kind| kind.as_str()) == Some("dev");
        let ours = dependency.get("path").is_some_and(|path| path.is_string());
        ours && !for_tests
    };
    list(metadata, "packages")
        .iter()
        .map(|package| Package {
            name: text(package, "name"),
            dependencies: list(package, "dependencies")
                .iter()
                .filter(|dependency| arrow(dependency))
                .map(|dependency| text(dependency, "name"))
                .collect(),
        })
        .collect()
}

/// Answers every forbidden arrow.
pub fn check(packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            if !allowed(&package.name, dependency) {
                findings.push(format!(
                    "{} must not depend on {dependency} (ARCHITECTURE.md; the rules are in \
                     xtask/src/tidy/arrows.rs)",
                    package.name
                ));
            }
        }
    }
    findings
}

fn allowed(from: &str, to: &str) -> bool {
    if TOPS.contains(&to) {
        return false;
    }
    if TOPS.contains(&from) {
        return true;
    }
    if LEAVES.contains(&from) {
        return false;
    }
    if let Some((_, list)) = NAMED.iter().find(|(name, _)| *name == from) {
        return list.contains(&to);
    }
    if from.ends_with("-model") {
        return ["haechi-core", "haechi-wire"].contains(&to);
    }
    if from.starts_with("haechi-store-") {
        return to == "haechi-store";
    }
    if from.starts_with("haechi-") {
        // The audit log is CloudTrail's own state.
        let own_log = from == "haechi-cloudtrail" && to == "haechi-log";
        // Only STS takes the tokens of identity providers.
        let own_tokens = from == "haechi-sts" && to == "haechi-jwt";
        // Only KMS asks external key store proxies.
        let own_proxies = from == "haechi-kms" && to == "haechi-xks";
        // Only Lambda runs code.
        let own_sandbox = from == "haechi-lambda" && to == "haechi-sandbox";
        // What has Regions in common is told to other deployments.
        let own_peers =
            ["haechi-kms", "haechi-secretsmanager"].contains(&from) && to == "haechi-peer";
        return own_log
            || own_sandbox
            || own_tokens
            || own_proxies
            || own_peers
            || SERVICE.contains(&to)
            || to.ends_with("-model");
    }
    // Engines (waf-engine, detect, …) know nothing of services, servers or stores.
    ["haechi-crypto", "haechi-log", "haechi-policy"].contains(&to)
}

#[cfg(test)]
mod tests {
    use super::{Package, allowed, check, packages};

    #[test]
    fn a_service_never_uses_a_service_but_its_model() {
        assert!(!allowed("haechi-kms", "haechi-iam"));
        assert!(allowed("haechi-kms", "haechi-kms-model"));
        assert!(allowed("haechi-kms", "haechi-iam-model"));
    }

    #[test]
    fn leaves_use_nothing_of_ours() {
        assert!(!allowed("haechi-policy", "haechi-core"));
        assert!(!allowed("haechi-store", "haechi-crypto"));
    }

    #[test]
    fn the_gateway_knows_no_service() {
        assert!(!allowed("haechi-gateway", "haechi-kms"));
        assert!(!allowed("haechi-gateway", "haechi-kms-model"));
    }

    #[test]
    fn an_engine_knows_only_leaves() {
        assert!(!allowed("waf-engine", "haechi-core"));
        assert!(!allowed("haechi-store-sqlite", "haechi-core"));
        assert!(allowed("haechi-store-sqlite", "haechi-store"));
    }

    #[test]
    fn nothing_uses_the_binary_or_the_test_kits() {
        assert!(!allowed("haechi-kms", "haechi-testkit"));
        assert!(!allowed("haechi-conformance", "haechi"));
    }

    #[test]
    fn test_dependencies_and_foreign_crates_are_no_arrows() {
        let metadata = serde_json::json!({ "packages": [{
            "name": "haechi-policy",
            "dependencies": [
                { "name": "serde", "kind": null },
                { "name": "haechi-testkit", "kind": "dev", "path": "crates/haechi-testkit" },
                { "name": "haechi-core", "kind": null, "path": "crates/haechi-core" },
            ],
        }]});
        let packages: Vec<Package> = packages(&metadata);
        let findings = check(&packages);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].contains("haechi-core"));
    }
}
