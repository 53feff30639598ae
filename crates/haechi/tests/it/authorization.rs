//! What handlers ask to be allowed, against AWS's own tables: an action or a condition key that AWS
//! does not know would be one that no policy written for AWS names.

use std::path::{Path, PathBuf};

use haechi_policy::reference::{action, condition_keys, has_service};

/// Operations whose handlers ask for other actions than their own, as AWS's do.
const OTHERS_INSTEAD: [&str; 6] = [
    // `kms:ReEncryptFrom` of one key and `kms:ReEncryptTo` of the other.
    "kms:ReEncrypt",
    // `lambda:InvokeFunction`.
    "lambda:Invoke",
    // The same without `Batch`.
    "sns:PublishBatch",
    "sqs:ChangeMessageVisibilityBatch",
    "sqs:DeleteMessageBatch",
    "sqs:SendMessageBatch",
];

/// Actions of the API Reference that the table of the pinned release lacks yet.
const NEWER: [&str; 4] = [
    "secretsmanager:AcceptCrossAccountReplication",
    "secretsmanager:AssociateCrossAccountReplica",
    "secretsmanager:DisassociateCrossAccountReplica",
    "secretsmanager:ListResourcePolicies",
];

/// The Rust sources of all services and their models.
fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        if name.starts_with("haechi-") && name != "haechi-policy" {
            collect(&folder.join("src"), &mut sources);
        }
    }
    sources
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

/// String literals like `"kms:Decrypt"` of services that the table has.
fn names(text: &str) -> Vec<&str> {
    let is_name = |literal: &&str| {
        literal.split_once(':').is_some_and(|(service, name)| {
            let letters = |text: &str, more: &str| {
                let letter = |one: char| one.is_ascii_alphanumeric() || more.contains(one);
                !text.is_empty() && text.chars().all(letter)
            };
            letters(service, "-") && letters(name, "") && has_service(service)
        })
    };
    text.split('"').filter(is_name).collect()
}

#[test]
fn every_action_and_condition_key_in_the_services_sources_is_one_that_aws_knows() {
    let (mut found, mut unknown) = (0, Vec::new());
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in names(&text) {
            found += 1;
            let service = name.split(':').next().unwrap();
            let key = condition_keys(service).iter().any(|key| key.eq_ignore_ascii_case(name));
            if action(name).is_none()
                && !key
                && ![&OTHERS_INSTEAD[..], &NEWER[..]].concat().contains(&name)
            {
                unknown.push(format!("{name} in {}", path.display()));
            }
        }
    }
    assert!(found > 400, "the sources were not found: {found} names");
    assert!(unknown.is_empty(), "AWS does not know: {unknown:#?}");
}

#[test]
fn a_name_that_aws_does_not_know_is_seen() {
    let text = r#"decide("kms:Decipher", "kms:viaservice", "other:Thing", "kms:key/1")"#;
    assert_eq!(names(text), ["kms:Decipher", "kms:viaservice"]);
    assert!(action("kms:Decipher").is_none());
}
