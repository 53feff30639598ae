use std::sync::Arc;

use haechi_kms::KeyStoreSurroundings;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Problem, SecretString};
use haechi_xks::{Client, ErrorName, Operation};

use crate::proxy::{ACCESS_KEY_ID, HOST, Mood, Proxy, SECRET};
use crate::world::{ACCOUNT, World, assert_refused, refused};

/// A KMS with a network to one proxy.
pub async fn world() -> (World, Arc<Proxy>) {
    let (world, proxy) = (World::new().await, Proxy::new());
    let mut surroundings = KeyStoreSurroundings::new(Client::new(Arc::clone(&proxy) as _));
    let service = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0".to_owned();
    surroundings.vpc_endpoint_services.insert(service, ([10, 0, 0, 1], 443).into());
    world.kms.use_key_stores(surroundings);
    (world, proxy)
}

pub fn wanted(name: &str) -> CreateCustomKeyStoreRequest {
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

pub fn credential(secret: &str) -> XksProxyAuthenticationCredentialType {
    XksProxyAuthenticationCredentialType {
        access_key_id: SecretString(ACCESS_KEY_ID.to_owned()),
        raw_secret_access_key: SecretString(secret.to_owned()),
    }
}

impl World {
    pub async fn create_store(
        &self,
        input: CreateCustomKeyStoreRequest,
    ) -> Result<String, Problem> {
        let output = self.call::<ops::CreateCustomKeyStore>(&self.root, input).await?;
        Ok(output.custom_key_store_id.unwrap())
    }

    pub async fn connect(&self, id: &str) -> Result<(), Problem> {
        let custom_key_store_id = id.to_owned();
        let input = ConnectCustomKeyStoreRequest { custom_key_store_id };
        self.call::<ops::ConnectCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    pub async fn disconnect(&self, id: &str) -> Result<(), Problem> {
        let custom_key_store_id = id.to_owned();
        let input = DisconnectCustomKeyStoreRequest { custom_key_store_id };
        self.call::<ops::DisconnectCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    pub async fn delete_store(&self, id: &str) -> Result<(), Problem> {
        let custom_key_store_id = id.to_owned();
        let input = DeleteCustomKeyStoreRequest { custom_key_store_id };
        self.call::<ops::DeleteCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    pub async fn update(&self, input: UpdateCustomKeyStoreRequest) -> Result<(), Problem> {
        self.call::<ops::UpdateCustomKeyStore>(&self.root, input).await.map(|_| ())
    }

    pub async fn store(&self, id: &str) -> CustomKeyStoresListEntry {
        let custom_key_store_id = Some(id.to_owned());
        let input = DescribeCustomKeyStoresRequest { custom_key_store_id, ..Default::default() };
        let output = self.call::<ops::DescribeCustomKeyStores>(&self.root, input).await.unwrap();
        output.custom_key_stores.unwrap().remove(0)
    }

    pub async fn external_key(
        &self,
        store: &str,
        xks_key_id: &str,
    ) -> Result<KeyMetadata, Problem> {
        let input = CreateKeyRequest {
            origin: Some(OriginType::ExternalKeyStore),
            custom_key_store_id: Some(store.to_owned()),
            xks_key_id: Some(xks_key_id.to_owned()),
            ..Default::default()
        };
        Ok(self.call::<ops::CreateKey>(&self.root, input).await?.key_metadata.unwrap())
    }

    /// A connected store with a key.
    pub async fn ready(&self) -> (String, KeyMetadata) {
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
async fn stores_are_for_who_may_and_clusters_those_that_the_operator_named() {
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
