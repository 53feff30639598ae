use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Blob;
use haechi_xks::{ErrorName, Operation};

use crate::custom_key_stores::world;
use crate::proxy::Mood;
use crate::world::{ACCOUNT, PLAINTEXT, assert_refused, context, plain, refused, sealed};

const MALFORMED: &str = "AWS KMS cannot interpret the response from the external key store proxy.";

/// Failures of a proxy, and how AWS begins to tell them.
fn failures() -> Vec<(Mood, &'static str)> {
    vec![
        (Mood::Unreachable, "AWS KMS cannot communicate with the external key store proxy."),
        (Mood::NoTls, "AWS KMS cannot establish a TLS connection to the external key store proxy."),
        (Mood::Slow, "AWS KMS rejected the request because the external key store proxy did not"),
        (Mood::Says(200, "{}"), MALFORMED),
        (Mood::Says(200, "{\"plaintext\":\"AAAA\"}"), MALFORMED),
        (Mood::Says(500, "oops"), MALFORMED),
        (Mood::Says(400, "{\"errorName\":\"Unheard\"}"), MALFORMED),
        (Mood::Refuses(ErrorName::Validation), MALFORMED),
        (
            Mood::Refuses(ErrorName::InvalidState),
            "The external key associated with this KMS key in an external key store is not enabled",
        ),
        (
            Mood::Refuses(ErrorName::InvalidKeyUsage),
            "The external key associated with this KMS key in an external key store does not support",
        ),
        (
            Mood::Refuses(ErrorName::AuthenticationFailed),
            "The external key store proxy rejected the request because it could not authenticate AWS KMS.",
        ),
        (
            Mood::Refuses(ErrorName::AccessDenied),
            "The external key store proxy denied access to the operation.",
        ),
        (
            Mood::Refuses(ErrorName::KeyNotFound),
            "The external key associated with this KMS key in an external key store was not found",
        ),
        (
            Mood::Refuses(ErrorName::InvalidUriPath),
            "The external key store proxy rejected the request because of an invalid URI path.",
        ),
        (
            Mood::Refuses(ErrorName::Throttling),
            "The external key store proxy rejected the request due to a very high request rate.",
        ),
        (
            Mood::Refuses(ErrorName::UnsupportedOperation),
            "The external key store proxy rejected the request because it does not support",
        ),
        (
            Mood::Refuses(ErrorName::DependencyTimeout),
            "The external key store proxy did not respond to the request in the time allotted.",
        ),
        (
            Mood::Refuses(ErrorName::Internal),
            "The external key store proxy rejected the request because it cannot communicate with the external key manager.",
        ),
    ]
}

#[tokio::test]
async fn a_key_is_encrypted_twice_and_opens_with_its_context_only() {
    let (world, proxy) = world().await;
    let (id, key) = world.ready().await;
    assert_eq!(key.origin, Some(OriginType::ExternalKeyStore));
    assert_eq!(key.custom_key_store_id.as_deref(), Some(id.as_str()));
    assert_eq!(key.xks_key_configuration.unwrap().id.as_deref(), Some("foo"));
    assert_eq!((key.key_state, key.current_key_material_id), (Some(KeyState::Enabled), None));

    let with = |pairs: &[(&str, &str)]| EncryptRequest {
        encryption_context: context(pairs),
        ..plain(&key.key_id)
    };
    let made = world.call::<ops::Encrypt>(&world.root, with(&[("a", "b")])).await.unwrap();
    let blob = made.ciphertext_blob.unwrap();
    assert_eq!((blob.0[..5].to_vec(), blob.0[37]), (vec![1, 2, 2, 0, 0x78], 2));
    assert_eq!(blob.0.len(), 40 + 20 + 12 + 16 + 130 + PLAINTEXT.len());
    let inner = proxy.state.lock().unwrap().plaintexts.clone();
    assert!(!inner[0].windows(6).any(|part| PLAINTEXT.starts_with(part)));

    let open = |pairs: &[(&str, &str)], blob: &Blob| DecryptRequest {
        encryption_context: context(pairs),
        ..sealed(blob)
    };
    let opened = world.call::<ops::Decrypt>(&world.root, open(&[("a", "b")], &blob)).await;
    assert_eq!(opened.unwrap().plaintext.unwrap().0, PLAINTEXT);
    let wrong = world.call::<ops::Decrypt>(&world.root, open(&[("a", "c")], &blob)).await;
    assert_refused(
        wrong,
        "KMSInvalidStateException",
        "The external key store proxy rejected the request because the specified ciphertext or \
         encryption context is corrupted, missing, or otherwise invalid.",
    );

    // What the key manager saw is a blob of the key, and opens nothing by itself.
    let bypass =
        world.call::<ops::Decrypt>(&world.root, open(&[("a", "b")], &Blob(inner[0].clone())));
    assert_refused(bypass.await, "InvalidCiphertextException", "");

    let seen = proxy.state.lock().unwrap().seen.clone();
    let (operation, metadata) =
        seen.iter().rev().find(|seen| seen.0 == Operation::Encrypt).unwrap();
    assert_eq!(*operation, Operation::Encrypt);
    assert_eq!(metadata.kms_operation.as_deref(), Some("Encrypt"));
    assert_eq!(metadata.kms_key_arn, key.arn);
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    assert_eq!(metadata.aws_principal_arn.as_deref(), Some(root.as_str()));
}

#[tokio::test]
async fn data_keys_and_re_encryption_work_and_data_key_pairs_do_not() {
    let (world, _) = world().await;
    let (_, key) = world.ready().await;
    let input = GenerateDataKeyRequest {
        key_id: key.key_id.clone(),
        key_spec: Some(DataKeySpec::Aes256),
        ..Default::default()
    };
    let made = world.call::<ops::GenerateDataKey>(&world.root, input).await.unwrap();
    let (plaintext, blob) = (made.plaintext.unwrap().0.clone(), made.ciphertext_blob.unwrap());
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), plaintext);

    let own = world.key().await;
    for (to, from) in [(&own.key_id, &key.key_id), (&key.key_id, &own.key_id)] {
        let blob = world.encrypt(&world.root, from).await.unwrap();
        let input = ReEncryptRequest {
            ciphertext_blob: Some(blob),
            destination_key_id: to.clone(),
            ..Default::default()
        };
        let moved = world.call::<ops::ReEncrypt>(&world.root, input).await.unwrap();
        let opened = world.decrypt(&world.root, &moved.ciphertext_blob.unwrap()).await;
        assert_eq!(opened.unwrap(), PLAINTEXT);
    }

    let input = GenerateDataKeyPairRequest {
        key_id: key.key_id.clone(),
        key_pair_spec: DataKeyPairSpec::EccNistP256,
        ..Default::default()
    };
    let arn = key.arn.unwrap();
    let told = format!("{arn} origin is EXTERNAL_KEY_STORE which is not valid for this operation.");
    let pair = world.call::<ops::GenerateDataKeyPair>(&world.root, input).await;
    assert_refused(pair, "UnsupportedOperationException", &told);
    let input = EnableKeyRotationRequest { key_id: key.key_id.clone(), ..Default::default() };
    let rotation = world.call::<ops::EnableKeyRotation>(&world.root, input).await;
    assert_refused(rotation, "UnsupportedOperationException", &told);
    let input = GetKeyRotationStatusRequest { key_id: key.key_id.clone() };
    let status = world.call::<ops::GetKeyRotationStatus>(&world.root, input).await;
    assert_refused(status, "UnsupportedOperationException", &told);
    let input = RotateKeyOnDemandRequest { key_id: key.key_id.clone() };
    let rotation = world.call::<ops::RotateKeyOnDemand>(&world.root, input).await;
    assert_refused(rotation, "UnsupportedOperationException", &told);
    let input = GetParametersForImportRequest {
        key_id: key.key_id.clone(),
        wrapping_algorithm: AlgorithmSpec::RsaesOaepSha256,
        wrapping_key_spec: WrappingKeySpec::Rsa2048,
    };
    let import = world.call::<ops::GetParametersForImport>(&world.root, input).await;
    assert_eq!(refused(import).0, "UnsupportedOperationException");
}

#[tokio::test]
async fn every_failure_of_the_proxy_has_its_words_and_what_was_encrypted_survives_it() {
    let (world, proxy) = world().await;
    let (_, key) = world.ready().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    for (mood, told) in failures() {
        proxy.mood(mood);
        for outcome in [
            world.encrypt(&world.root, &key.key_id).await.map(|_| ()),
            world.decrypt(&world.root, &blob).await.map(|_| ()),
        ] {
            let (code, message) = refused(outcome);
            assert_eq!(code, "KMSInvalidStateException", "{message}");
            assert!(message.starts_with(told), "{message}\nis not\n{told}");
            assert!(!message.contains("own words"));
        }
    }
    // The integrity value tells that an answer was damaged on its way.
    proxy.mood(Mood::Damages);
    let damaged = refused(world.encrypt(&world.root, &key.key_id).await);
    assert!(damaged.1.starts_with(MALFORMED), "{damaged:?}");
    // A plaintext that is not what was encrypted.
    proxy.mood(Mood::Lies);
    assert_refused(
        world.decrypt(&world.root, &blob).await,
        "KMSInvalidStateException",
        "The ciphertext that the external key store proxy submitted for decryption, or the \
         encryption context, is corrupted, missing, or otherwise invalid.",
    );
    proxy.mood(Mood::Well);
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn keys_of_a_disconnected_store_are_unavailable() {
    let (world, _) = world().await;
    let (id, key) = world.ready().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.disconnect(&id).await.unwrap();
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!(
        (described.key_state, described.enabled),
        (Some(KeyState::Unavailable), Some(false))
    );
    assert_refused(
        world.decrypt(&world.root, &blob).await,
        "KMSInvalidStateException",
        "This KMS key is in a custom key store that is not connected to its external key store \
         proxy. Connect the external key store and try the request again.",
    );
    // Disabling it shows once it is available again.
    world.disable(&key.key_id).await;
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!(described.key_state, Some(KeyState::Unavailable));
    world.connect(&id).await.unwrap();
    assert_eq!(world.describe(&key.key_id).await.unwrap().key_state, Some(KeyState::Disabled));
    assert_eq!(refused(world.decrypt(&world.root, &blob).await).0, "DisabledException");
}

#[tokio::test]
async fn a_key_is_made_of_an_external_key_that_serves_and_of_nothing_else() {
    let (world, proxy) = world().await;
    let (id, _) = world.ready().await;
    let invalid = "XksKeyInvalidConfigurationException";
    let change = |change: fn(&mut crate::proxy::ExternalKey)| {
        let mut state = proxy.state.lock().unwrap();
        let mut key = state.keys["foo"].clone();
        change(&mut key);
        state.keys.insert("odd".to_owned(), key);
    };
    change(|key| key.spec = "RSA_2048");
    assert_refused(
        world.external_key(&id, "odd").await,
        invalid,
        "The key spec of the external key must be AES_256. The key spec of specified external key is RSA_2048.",
    );
    change(|key| key.status = "DISABLED");
    assert_refused(
        world.external_key(&id, "odd").await,
        invalid,
        "The status of the external key must be ENABLED. The status of specified external key is DISABLED.",
    );
    change(|key| key.usage = vec!["ENCRYPT"]);
    assert_refused(
        world.external_key(&id, "odd").await,
        invalid,
        "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is ENCRYPT.",
    );
    assert_eq!(refused(world.external_key(&id, "nothing").await).0, "XksKeyNotFoundException");
    assert_eq!(
        refused(world.external_key("cks-0", "foo").await).0,
        "CustomKeyStoreNotFoundException"
    );

    let input = |change: fn(&mut CreateKeyRequest)| {
        let mut input = CreateKeyRequest {
            origin: Some(OriginType::ExternalKeyStore),
            custom_key_store_id: Some(id.clone()),
            xks_key_id: Some("bar".to_owned()),
            ..Default::default()
        };
        change(&mut input);
        input
    };
    for (change, code) in [
        ((|key| key.xks_key_id = None) as fn(&mut CreateKeyRequest), "ValidationException"),
        (|key| key.custom_key_store_id = None, "ValidationException"),
        (|key| key.origin = None, "ValidationException"),
        (|key| key.origin = Some(OriginType::AwsCloudhsm), "ValidationException"),
        (|key| key.multi_region = Some(true), "UnsupportedOperationException"),
        (|key| key.key_spec = Some(KeySpec::Hmac256), "ValidationException"),
    ] {
        let outcome = world.call::<ops::CreateKey>(&world.root, input(change)).await;
        assert_eq!(refused(outcome).0, code);
    }
    let hmac = input(|key| {
        key.key_spec = Some(KeySpec::Hmac256);
        key.key_usage = Some(KeyUsageType::GenerateVerifyMac);
    });
    let outcome = world.call::<ops::CreateKey>(&world.root, hmac).await;
    assert_eq!(refused(outcome).0, "UnsupportedOperationException");
}
