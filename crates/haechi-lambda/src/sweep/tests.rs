use std::collections::BTreeMap;

use haechi_core::Record;
use haechi_testkit::Kit;

use super::*;
use crate::store::{Code, Version};

fn version(number: u64) -> VersionRecord {
    VersionRecord(Version {
        version: number.to_string(),
        code: Code {
            id: format!("code-{}", number / 2),
            pieces: 1,
            size: 1,
            sha256: String::new(),
        },
        runtime: "python3.12".to_owned(),
        handler: None,
        role: String::new(),
        description: String::new(),
        timeout: 3,
        memory: 128,
        storage: 512,
        environment: None,
        dead_letter_arn: None,
        architecture: "x86_64".to_owned(),
        tracing: "PassThrough".to_owned(),
        log_group: None,
        log_json: None,
        modified_ms: 0,
        revision: String::new(),
        unknown: BTreeMap::new(),
    })
}

async fn count<T: Record>(kit: &Kit, path: &haechi_core::Path) -> usize {
    kit.database.list_all::<T>(path).await.unwrap().len()
}

#[tokio::test]
async fn what_a_deleted_function_has_left_goes_with_its_code() {
    let kit = Kit::new().await;
    kit.jobs.handle(LEFT, Arc::new(Leftovers { database: Arc::clone(&kit.database) }));
    kit.jobs.handle(SWEEP, Arc::new(Sweep { database: Arc::clone(&kit.database) }));
    let place = Place { account: "111122223333".to_owned(), region: "us-east-1".to_owned() };
    for number in 0..60 {
        let mut batch = Batch::new();
        batch.put(place.version("gone", number), &version(number));
        let alias = AliasRecord {
            name: number.to_string(),
            version: number.to_string(),
            description: String::new(),
            weights: BTreeMap::new(),
            revision: String::new(),
            unknown: BTreeMap::new(),
        };
        batch.put(place.alias("gone", &alias.name), &alias);
        let bytes =
            PieceRecord { bytes: ciborium::Value::Bytes(vec![0]), unknown: BTreeMap::new() };
        batch.put(piece(&format!("code-{}", number / 2), 0), &bytes);
        kit.database.commit(batch).await.unwrap();
    }
    let mut batch = Batch::new();
    batch.schedule(&left_job(&place, "gone", kit.env.now()));
    kit.database.commit(batch).await.unwrap();
    kit.jobs.run_due().await.unwrap();
    assert_eq!(count::<VersionRecord>(&kit, &place.versions("gone")).await, 0);
    assert_eq!(count::<AliasRecord>(&kit, &place.aliases("gone")).await, 0);
    let code = haechi_core::Path::new("lambda-code");
    assert_eq!(count::<PieceRecord>(&kit, &code).await, 30);
    kit.clock.advance(AFTER_SECONDS);
    kit.jobs.run_due().await.unwrap();
    assert_eq!(count::<PieceRecord>(&kit, &code).await, 0);
}

#[test]
fn unpacked_code_is_known_by_its_archive_also_while_it_is_being_unpacked() {
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["a", "b.partial"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let mut found: Vec<String> = unpacked(folder.path()).into_iter().map(|(id, _)| id).collect();
    found.sort_unstable();
    assert_eq!(found, ["a", "b"]);
    assert!(unpacked(&folder.path().join("none")).is_empty());
}
