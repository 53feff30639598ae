//! The main job with the AWS SDK for Rust, trusting nothing but the local CA.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::Credentials;
use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use haechi_conformance::{Launch, Server};

async fn client(server: &Server) -> Client {
    let ready = server.ready();
    let authority = std::fs::read(ready.ca_bundle.as_ref().unwrap()).unwrap();
    let trust = TrustStore::empty().with_pem_certificate(authority);
    let tls = TlsContext::builder().with_trust_store(trust).build().unwrap();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls)
        .build_https();
    let (id, secret) = (&ready.access_key_id, &ready.secret_access_key);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(&ready.endpoint)
        .region(Region::new(ready.region.clone()))
        .credentials_provider(Credentials::new(id, secret, None, None, "test"))
        .load()
        .await;
    Client::new(&config)
}

#[tokio::test]
async fn a_data_key_survives_kill_9_and_opens_only_as_it_was_sealed() {
    let mut server = Launch::new().start();
    let kms = client(&server).await;
    let created = kms.create_key().description("the walk").send().await.unwrap();
    let key_id = created.key_metadata().unwrap().key_id().to_owned();
    let alias = "alias/walk";
    kms.create_alias().alias_name(alias).target_key_id(&key_id).send().await.unwrap();
    let data_key = kms
        .generate_data_key()
        .key_id(alias)
        .key_spec(DataKeySpec::Aes256)
        .encryption_context("file", "walk")
        .send()
        .await
        .unwrap();
    let plaintext = data_key.plaintext().unwrap().clone().into_inner();
    let blob = data_key.ciphertext_blob().unwrap().clone().into_inner();
    assert_eq!(plaintext.len(), 32);

    server.kill9();
    server.restart();

    // A new client: the old one holds connections to a process that is gone.
    let kms = client(&server).await;
    let decrypt = |blob: &[u8], context: &str| {
        kms.decrypt().ciphertext_blob(Blob::new(blob)).encryption_context("file", context).send()
    };
    let opened = decrypt(&blob, "walk").await.unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref(), plaintext);
    assert_eq!(opened.key_id(), created.key_metadata().unwrap().arn());

    let refused = decrypt(&blob, "other").await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_ciphertext_exception(), "{refused:?}");

    let last = blob.len() - 1;
    for position in [0, 5, 37, 38, 70, 102, 114, last] {
        let mut changed = blob.clone();
        changed[position] ^= 1;
        let refused = decrypt(&changed, "walk").await.unwrap_err().into_service_error();
        assert!(refused.is_invalid_ciphertext_exception(), "byte {position}: {refused:?}");
    }

    kms.disable_key().key_id(&key_id).send().await.unwrap();
    let refused = decrypt(&blob, "walk").await.unwrap_err().into_service_error();
    assert!(refused.is_disabled_exception(), "{refused:?}");
    let message = refused.message().unwrap();
    assert!(message.ends_with(&format!("key/{key_id} is disabled.")), "{message}");
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let server = Launch::new().start();
    let other = Launch::new().start();
    let mut wrong = server.ready().clone();
    wrong.ca_bundle.clone_from(&other.ready().ca_bundle);
    let authority = std::fs::read(wrong.ca_bundle.unwrap()).unwrap();
    let trust = TrustStore::empty().with_pem_certificate(authority);
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(trust).build().unwrap())
        .build_https();
    let config = client(&server).await.config().to_builder().http_client(http).build();
    let refused = Client::from_conf(config).list_keys().send().await.unwrap_err();
    assert!(refused.as_service_error().is_none(), "an answer came: {refused:?}");
}
