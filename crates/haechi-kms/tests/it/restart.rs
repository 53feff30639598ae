//! What was stored is found again by a service that starts anew over the same records.

use std::sync::Arc;

use haechi_kms::Kms;

use crate::world::*;

#[tokio::test]
async fn keys_aliases_and_ciphertexts_survive_a_new_service_with_a_cold_cache() {
    let World { kit, kms, root } = World::new().await;
    let world = World { kit, kms, root };
    let key = world.key().await;
    world.alias("alias/app", &key.key_id).await;
    let blob = world.encrypt(&world.root, "alias/app").await.unwrap();
    let World { kit, root, .. } = world;
    kit.database.forget();
    let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
    let world = World { kit, kms, root };
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    assert_eq!(world.describe("alias/app").await.unwrap().key_id, key.key_id);
}

#[tokio::test]
async fn rows_are_sealed_and_names_are_hidden() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/payroll-secret", &key.key_id).await;
    let range = haechi_store::Range::prefix("/");
    let page = world.kit.database.store().range(range, 0, None).await.unwrap();
    assert!(page.kvs.len() >= 3);
    for kv in &page.kvs {
        for bytes in [kv.key.as_bytes(), kv.value.as_bytes()] {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains("payroll") && !text.contains("kms:*"));
        }
    }
}

#[tokio::test]
async fn warm_calls_need_no_store_and_a_write_makes_them_cold() {
    use haechi_kms_model::ops;
    use haechi_kms_model::shapes::{
        CreateGrantRequest, EnableKeyRequest, GrantOperation, ListKeysRequest,
    };
    let world = World::new().await;
    let (key, changed) = (world.key().await, world.key().await);
    world.alias("alias/app", &key.key_id).await;
    let grantee = world.kit.user(ACCOUNT, "grantee", &[]);
    let input = CreateGrantRequest {
        key_id: key.key_id.clone(),
        grantee_principal: Some(grantee.principal.name().to_owned()),
        operations: vec![GrantOperation::Encrypt],
        ..CreateGrantRequest::default()
    };
    world.call::<ops::CreateGrant>(&world.root, input).await.unwrap();
    let blob = world.encrypt(&grantee, "alias/app").await.unwrap();
    world.decrypt(&world.root, &blob).await.unwrap();
    world.encrypt(&world.root, &changed.key_id).await.unwrap();
    let input = EnableKeyRequest { key_id: changed.key_id.clone() };
    world.call::<ops::EnableKey>(&world.root, input).await.unwrap();

    // A store that answers nothing shows who asks it.
    world.kit.database.store().close().await.unwrap();
    assert!(world.encrypt(&world.root, "alias/app").await.is_ok());
    assert!(world.encrypt(&grantee, "alias/app").await.is_ok(), "by a grant");
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
    let listed = world.call::<ops::ListKeys>(&world.root, ListKeysRequest::default()).await;
    assert_eq!(refused(listed).0, "InternalFailure");
    let cold = world.encrypt(&world.root, &changed.key_id).await;
    assert_eq!(refused(cold).0, "InternalFailure");
}

#[tokio::test]
async fn key_pairs_and_old_material_open_again_from_a_cold_cache() {
    use haechi_kms_model::ops;
    use haechi_kms_model::shapes::*;
    let world = World::new().await;
    let pair = world.key_of(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let input = EncryptRequest {
        encryption_algorithm: Some(EncryptionAlgorithmSpec::RsaesOaepSha256),
        ..plain(&pair.key_id)
    };
    let to_pair = world.call::<ops::Encrypt>(&world.root, input).await.unwrap();
    let key = world.key().await;
    let old = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.rotate(&key.key_id).await.unwrap();

    let World { kit, root, .. } = world;
    kit.database.forget();
    let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
    let world = World { kit, kms, root };
    assert_eq!(world.decrypt(&world.root, &old).await.unwrap(), PLAINTEXT);
    let input = DecryptRequest {
        key_id: Some(pair.key_id),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::RsaesOaepSha256),
        ..sealed(&to_pair.ciphertext_blob.unwrap())
    };
    let output = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
    assert_eq!(output.plaintext.unwrap().0, PLAINTEXT);
}
