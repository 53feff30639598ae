use std::sync::Arc;

use haechi_kms::KeyStoreSurroundings;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Blob, Problem, SecretString};
use haechi_xks::{Client, ErrorName, Operation};

use crate::proxy::{ACCESS_KEY_ID, HOST, Mood, Proxy, SECRET};
use crate::world::{ACCOUNT, PLAINTEXT, World, assert_refused, context, plain, refused, sealed};

/// A KMS with a network to one proxy.
async fn world() -> (World, Arc<Proxy>) {
    let (world, proxy) = (World::new().await, Proxy::new());
    let mut surroundings = KeyStoreSurroundings::new(Client::new(Arc::clone(&proxy) as _));
    let service = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0".to_owned();
    surroundings.vpc_endpoint_services.insert(service, ([10, 0, 0, 1], 443).into());
    world.kms.use_key_stores(surroundings);
    (world, proxy)
}

fn wanted(name: &str) -> CreateCustomKeyStoreRequest {
    CreateCustomKeyStoreRequest {
        custom_key_store_name: name.to_owned(),
        custom_key_store_type: Some(CustomKeyStoreType::ExternalKeyStore),
        xks_proxy_uri_endpoint: Some(format!("https://{HOST}")),
        xks_proxy_uri_path: Some("/path/kms/xks/v1".to_owned()),
        xks_proxy_connectivity: Some(XksProxyConnectivityType::PublicEndpoint),
        xks_proxy_authentication_credential: Some(credential(SECRET)),
        ..CreateCustomKeyStoreRequest::default()
    }
}

fn credential(secret: &str) -> XksProxyAuthenticationCredentialType {
    XksProxyAuthenticationCredentialType {
        access_key_id: SecretString(ACCESS_KEY_ID.to_owned()),
        raw_secret_access_key: SecretString(secret.to_owned()),
    }
}

impl World {
    async fn create_store(&self, input: CreateCustomKeyStoreRequest) -> Result<String, Problem> {
        let output = self.call::<ops::CreateCustomKeyStore>(&self.root, input).await?;
        Ok(output.custom_key_store_id.unwrap())
    }

    async fn connect(&self, id: &str) -> Result<(), Problem> {
        let custom_key_store_id = id.to_owned();
        let input = ConnectCustomKeyStoreRequest { custom_key_store_id };
        self.call::<ops::ConnectCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    async fn disconnect(&self, id: &str) -> Result<(), Problem> {
        let custom_key_store_id = id.to_owned();
        let input = DisconnectCustomKeyStoreRequest { custom_key_store_id };
        self.call::<ops::DisconnectCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    async fn delete_store(&self, id: &str) -> Result<(), Problem> {
        let custom_key_store_id = id.to_owned();
        let input = DeleteCustomKeyStoreRequest { custom_key_store_id };
        self.call::<ops::DeleteCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    async fn update(&self, input: UpdateCustomKeyStoreRequest) -> Result<(), Problem> {
        self.call::<ops::UpdateCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    async fn store(&self, id: &str) -> CustomKeyStoresListEntry {
        let custom_key_store_id = Some(id.to_owned());
        let input = DescribeCustomKeyStoresRequest { custom_key_store_id, ..Default::default() };
        let output = self.call::<ops::DescribeCustomKeyStores>(&self.root, input).await.unwrap();
        output.custom_key_stores.unwrap().remove(0)
    }

    async fn external_key(&self, store: &str, xks_key_id: &str) -> Result<KeyMetadata, Problem> {
        let input = CreateKeyRequest {
            origin: Some(OriginType::ExternalKeyStore),
            custom_key_store_id: Some(store.to_owned()),
            xks_key_id: Some(xks_key_id.to_owned()),
            ..Default::default()
        };
        Ok(self.call::<ops::CreateKey>(&self.root, input).await?.key_metadata.unwrap())
    }

    /// A connected store with a key.
    async fn ready(&self) -> (String, KeyMetadata) {
        let id = self.create_store(wanted("store")).await.unwrap();
        self.connect(&id).await.unwrap();
        let key = self.external_key(&id, "foo").await.unwrap();
        (id, key)
    }
}

#[tokio::test]
async fn a_store_lives_from_creation_to_deletion() {
    let (world, proxy) = world().await;
    let id = world.create_store(wanted("store")).await.unwrap();
    assert_eq!((id.len(), &id[..4]), (21, "cks-"));
    let store = world.store(&id).await;
    assert_eq!(store.connection_state, Some(ConnectionStateType::Disconnected));
    assert_eq!(store.custom_key_store_type, Some(CustomKeyStoreType::ExternalKeyStore));
    let configuration = store.xks_proxy_configuration.unwrap();
    assert_eq!(configuration.access_key_id.unwrap().0, ACCESS_KEY_ID);
    assert_eq!(configuration.uri_path.as_deref(), Some("/path/kms/xks/v1"));

    let key = world.external_key(&id, "foo").await;
    assert_eq!(refused(key).0, "CustomKeyStoreInvalidStateException");
    world.connect(&id).await.unwrap();
    world.connect(&id).await.unwrap();
    assert_eq!(world.store(&id).await.connection_state, Some(ConnectionStateType::Connected));
    assert_eq!(refused(world.delete_store(&id).await).0, "CustomKeyStoreInvalidStateException");

    let key = world.external_key(&id, "foo").await.unwrap();
    world.disconnect(&id).await.unwrap();
    assert_eq!(refused(world.disconnect(&id).await).0, "CustomKeyStoreInvalidStateException");
    assert_eq!(refused(world.delete_store(&id).await).0, "CustomKeyStoreHasCMKsException");
    world.schedule_deletion(&key.key_id, 7).await;
    assert_eq!(
        world.describe(&key.key_id).await.unwrap().key_state,
        Some(KeyState::PendingDeletion)
    );
    world.pass_days(8).await;
    world.delete_store(&id).await.unwrap();
    assert_eq!(refused(world.delete_store(&id).await).0, "CustomKeyStoreNotFoundException");

    let seen = &proxy.state.lock().unwrap().seen;
    let health = &seen[0];
    assert_eq!(health.0, Operation::GetHealthStatus);
    assert_eq!(health.1.kms_operation.as_deref(), Some("CreateCustomKeyStore"));
    assert_eq!(health.1.aws_principal_arn, None);
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
async fn a_failed_connection_has_its_code_and_must_be_disconnected_first() {
    use ConnectionErrorCodeType as Code;
    let (world, proxy) = world().await;
    let id = world.create_store(wanted("store")).await.unwrap();
    for (mood, code) in [
        (Mood::Unreachable, Code::XksProxyNotReachable),
        (Mood::NoTls, Code::XksProxyInvalidTlsConfiguration),
        (Mood::Slow, Code::XksProxyTimedOut),
        (Mood::Says(200, "{}"), Code::XksProxyInvalidResponse),
        (Mood::Refuses(ErrorName::AuthenticationFailed), Code::InvalidCredentials),
        (Mood::Refuses(ErrorName::AccessDenied), Code::XksProxyAccessDenied),
        (Mood::Refuses(ErrorName::InvalidUriPath), Code::XksProxyInvalidConfiguration),
    ] {
        proxy.mood(mood);
        world.connect(&id).await.unwrap();
        let store = world.store(&id).await;
        assert_eq!(store.connection_state, Some(ConnectionStateType::Failed));
        assert_eq!(store.connection_error_code, Some(code));
        assert_eq!(refused(world.connect(&id).await).0, "CustomKeyStoreInvalidStateException");
        world.disconnect(&id).await.unwrap();
        assert_eq!(world.store(&id).await.connection_error_code, None);
    }
    proxy.mood(Mood::Well);
    proxy.state.lock().unwrap().health = "UNAVAILABLE";
    world.connect(&id).await.unwrap();
    let code = world.store(&id).await.connection_error_code;
    assert_eq!(code, Some(Code::XksProxyNotReachable));
}

#[tokio::test]
async fn a_store_is_not_made_of_a_proxy_that_does_not_serve() {
    let (world, proxy) = world().await;
    for (mood, code) in [
        (Mood::Unreachable, "XksProxyUriUnreachableException"),
        (Mood::NoTls, "XksProxyUriUnreachableException"),
        (Mood::Slow, "XksProxyUriUnreachableException"),
        (Mood::Says(200, "[]"), "XksProxyInvalidResponseException"),
    ] {
        proxy.mood(mood);
        assert_eq!(refused(world.create_store(wanted("store")).await).0, code);
    }
    proxy.mood(Mood::Well);
    let wrong = CreateCustomKeyStoreRequest {
        xks_proxy_authentication_credential: Some(credential(&SECRET.replace('F', "G"))),
        ..wanted("store")
    };
    assert_refused(
        world.create_store(wrong).await,
        "XksProxyIncorrectAuthenticationCredentialException",
        "The external key store proxy rejected the request because it could not authenticate AWS \
         KMS. Verify the XKS proxy authentication credentials for your external key store and \
         update if necessary.",
    );
    let elsewhere = |path: &str| CreateCustomKeyStoreRequest {
        xks_proxy_uri_path: Some(path.to_owned()),
        ..wanted("store")
    };
    let outcome = world.create_store(elsewhere("/other/kms/xks/v1")).await;
    assert_eq!(refused(outcome).0, "XksProxyInvalidConfigurationException");
    let outcome = world.create_store(elsewhere("/path/kms/xks/v2")).await;
    assert_eq!(refused(outcome).0, "XksProxyInvalidConfigurationException");
    let host = CreateCustomKeyStoreRequest {
        xks_proxy_uri_endpoint: Some("https://elsewhere.example.com".to_owned()),
        ..wanted("store")
    };
    assert_eq!(refused(world.create_store(host).await).0, "XksProxyUriUnreachableException");
    proxy.state.lock().unwrap().health = "UNAVAILABLE";
    let outcome = world.create_store(wanted("store")).await;
    assert!(
        refused(outcome).1.starts_with("The external key store proxy is in an unhealthy state.")
    );
}

#[tokio::test]
async fn names_addresses_and_external_keys_are_each_one_stores() {
    let (world, _) = world().await;
    let (id, _) = world.ready().await;
    assert_eq!(
        refused(world.create_store(wanted("store")).await).0,
        "CustomKeyStoreNameInUseException"
    );
    assert_eq!(refused(world.create_store(wanted("other")).await).0, "XksProxyUriInUseException");
    let service = Some("com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0".to_owned());
    let over_vpc = |service: Option<String>, host: &str| CreateCustomKeyStoreRequest {
        xks_proxy_connectivity: Some(XksProxyConnectivityType::VpcEndpointService),
        xks_proxy_vpc_endpoint_service_name: service,
        xks_proxy_uri_endpoint: Some(format!("https://{host}")),
        xks_proxy_uri_path: Some("/path/x/kms/xks/v1".to_owned()),
        ..wanted("vpc")
    };
    let outcome = world.create_store(over_vpc(service.clone(), HOST)).await;
    assert_eq!(refused(outcome).0, "XksProxyUriEndpointInUseException");
    let unknown = Some("com.amazonaws.vpce.us-east-1.vpce-svc-00000000000000000".to_owned());
    let outcome = world.create_store(over_vpc(unknown, "private.example.com")).await;
    assert_eq!(refused(outcome).0, "XksProxyVpcEndpointServiceNotFoundException");
    assert_eq!(
        refused(world.create_store(over_vpc(None, "b.example.com")).await).0,
        "ValidationException"
    );
    // Asked only when it is connected.
    let vpc = world.create_store(over_vpc(service.clone(), "private.example.com")).await.unwrap();
    let owner = world.store(&vpc).await.xks_proxy_configuration.unwrap().vpc_endpoint_service_owner;
    assert_eq!(owner.as_deref(), Some(ACCOUNT));
    let third = CreateCustomKeyStoreRequest {
        custom_key_store_name: "third".to_owned(),
        ..over_vpc(service, "third.example.com")
    };
    assert_eq!(
        refused(world.create_store(third).await).0,
        "XksProxyVpcEndpointServiceInUseException"
    );

    assert_eq!(refused(world.external_key(&id, "foo").await).0, "XksKeyAlreadyInUseException");
    world.external_key(&id, "bar").await.unwrap();
    let all = world
        .call::<ops::DescribeCustomKeyStores>(
            &world.root,
            DescribeCustomKeyStoresRequest::default(),
        )
        .await
        .unwrap();
    assert_eq!((all.custom_key_stores.unwrap().len(), all.truncated), (2, Some(false)));
    let both = DescribeCustomKeyStoresRequest {
        custom_key_store_id: Some(id),
        custom_key_store_name: Some("store".to_owned()),
        ..Default::default()
    };
    let outcome = world.call::<ops::DescribeCustomKeyStores>(&world.root, both).await;
    assert_eq!(refused(outcome).0, "ValidationException");
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

#[tokio::test]
async fn a_connected_store_takes_a_new_name_credential_and_path_only() {
    let (world, _) = world().await;
    let (id, key) = world.ready().await;
    let change = |input: UpdateCustomKeyStoreRequest| UpdateCustomKeyStoreRequest {
        custom_key_store_id: id.clone(),
        ..input
    };
    let name = |name: &str| UpdateCustomKeyStoreRequest {
        new_custom_key_store_name: Some(name.to_owned()),
        ..Default::default()
    };
    world.update(change(name("renamed"))).await.unwrap();
    assert_eq!(world.store(&id).await.custom_key_store_name.as_deref(), Some("renamed"));
    let with = |secret: &str| UpdateCustomKeyStoreRequest {
        xks_proxy_authentication_credential: Some(credential(secret)),
        ..Default::default()
    };
    let wrong = world.update(change(with(&SECRET.replace('F', "G")))).await;
    assert_eq!(refused(wrong).0, "XksProxyIncorrectAuthenticationCredentialException");
    world.update(change(with(SECRET))).await.unwrap();
    world.encrypt(&world.root, &key.key_id).await.unwrap();
    let endpoint = || UpdateCustomKeyStoreRequest {
        xks_proxy_uri_endpoint: Some("https://elsewhere.example.com".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        refused(world.update(change(endpoint())).await).0,
        "CustomKeyStoreInvalidStateException"
    );
    world.disconnect(&id).await.unwrap();
    assert_eq!(
        refused(world.update(change(endpoint())).await).0,
        "XksProxyUriUnreachableException"
    );
    let password = UpdateCustomKeyStoreRequest {
        key_store_password: Some(SecretString("1234567".to_owned())),
        ..Default::default()
    };
    assert_eq!(refused(world.update(change(password)).await).0, "ValidationException");
    let nobody =
        UpdateCustomKeyStoreRequest { custom_key_store_id: "cks-0".to_owned(), ..name("any") };
    assert_eq!(refused(world.update(nobody).await).0, "CustomKeyStoreNotFoundException");
}

#[tokio::test]
async fn stores_are_for_who_may_and_ten_at_most() {
    let (world, _) = world().await;
    let stranger = world.kit.user(ACCOUNT, "stranger", &[]);
    let outcome = world.call::<ops::CreateCustomKeyStore>(&stranger, wanted("store")).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
    let outcome = world
        .call::<ops::DescribeCustomKeyStores>(&stranger, DescribeCustomKeyStoresRequest::default())
        .await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
    let input = CreateCustomKeyStoreRequest {
        custom_key_store_name: "hsm".to_owned(),
        cloud_hsm_cluster_id: Some("cluster-1a23b4cdefg".to_owned()),
        key_store_password: Some(SecretString("1234567".to_owned())),
        trust_anchor_certificate: Some("-----BEGIN CERTIFICATE-----".to_owned()),
        ..Default::default()
    };
    let outcome = world.create_store(input).await;
    assert_eq!(refused(outcome).0, "CloudHsmClusterNotFoundException");
}
