use serde_json::json;

use super::*;

/// As it was written before keys rotated, were imported or had several Regions.
fn old() -> serde_json::Value {
    json!({
        "id": "k", "arn": "a", "account": "1", "region": "r", "description": "d",
        "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS",
        "state": "Enabled", "created_ms": 1, "deletion_ms": null, "policy": "{}",
        "tags": {}, "aliases": ["alias/a"],
        "materials": [{"id": "m", "handle": vec![0; 32], "token": [1, 2], "created_ms": 1}],
    })
}

#[test]
fn an_old_record_opens_and_its_material_encrypts() {
    let record: KeyRecord = serde_json::from_value(old()).unwrap();
    assert_eq!(record.current().map(|material| material.id.as_str()), Some("m"));
    assert!(record.rotation.is_none() && record.multi_region.is_none());
    assert!(!record.lacks_material());
}

#[test]
fn fields_of_the_future_survive_a_write_of_today() {
    let mut future = old();
    future["shape"] = json!("round");
    future["materials"][0]["colour"] = json!("red");
    let record: KeyRecord = serde_json::from_value(future).unwrap();
    let written = serde_json::to_value(&record).unwrap();
    assert_eq!(written["shape"], json!("round"));
    assert_eq!(written["materials"][0]["colour"], json!("red"));
}
