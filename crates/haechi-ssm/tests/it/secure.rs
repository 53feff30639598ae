//! `SecureString`: KMS in the caller's name.

use haechi_kms_model::ops as kms_ops;
use haechi_kms_model::shapes as kms_shapes;
use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{ACCOUNT, World, code, secure, string, words};

async fn key(world: &World) -> String {
    let input = kms_shapes::CreateKeyRequest::default();
    let made = world.kit.call::<kms_ops::CreateKey, _>(&*world.kms, &world.root, input).await;
    made.unwrap().key_metadata.unwrap().key_id
}

async fn disable(world: &World, key_id: &str) {
    let input = kms_shapes::DisableKeyRequest { key_id: key_id.to_owned() };
    world.kit.call::<kms_ops::DisableKey, _>(&*world.kms, &world.root, input).await.unwrap();
}

fn under(key_id: &str, input: PutParameterRequest) -> PutParameterRequest {
    PutParameterRequest { key_id: Some(key_id.to_owned()), ..input }
}

#[tokio::test]
async fn a_secure_string_is_shown_decrypted_only_if_that_is_asked() {
    let world = World::new().await;
    world.put(secure("/db/password", "hunter2")).await;
    assert_eq!(world.value("/db/password").await, "hunter2");
    let input = GetParameterRequest { name: "/db/password".to_owned(), with_decryption: None };
    let sealed = world.call::<ops::GetParameter>(input).await.unwrap().parameter.unwrap();
    assert_eq!(sealed.r#type, Some(ParameterType::SecureString));
    let sealed = sealed.value.unwrap();
    assert!(!sealed.0.contains("hunter2") && sealed.0.len() > 100);
    let shown = world.call::<ops::DescribeParameters>(Default::default()).await.unwrap();
    assert_eq!(shown.parameters.unwrap()[0].key_id.as_deref(), Some("alias/aws/ssm"));
}

#[tokio::test]
async fn a_new_value_stays_under_its_key_until_another_is_named() {
    let world = World::new().await;
    let key_id = key(&world).await;
    let shown = async || {
        let shown = world.call::<ops::DescribeParameters>(Default::default()).await.unwrap();
        shown.parameters.unwrap()[0].key_id.clone().unwrap()
    };
    let again = |input| PutParameterRequest { overwrite: Some(true), ..input };
    world.put(under(&key_id, secure("/a", "one"))).await;
    world.put(again(secure("/a", "two"))).await;
    assert_eq!(shown().await, key_id);
    world.put(again(under("alias/aws/ssm", secure("/a", "three")))).await;
    assert_eq!(shown().await, "alias/aws/ssm");
}

#[tokio::test]
async fn values_of_both_tiers_and_all_lengths_come_back() {
    let world = World::new().await;
    for (tier, length) in [
        (ParameterTier::Standard, 1),
        (ParameterTier::Standard, 4096),
        (ParameterTier::Advanced, 1),
        (ParameterTier::Advanced, 4097),
        (ParameterTier::Advanced, 8192),
    ] {
        let name = format!("/s/{}/{length}", tier.as_str());
        let value = "x".repeat(length);
        world.put(PutParameterRequest { tier: Some(tier), ..secure(&name, &value) }).await;
        assert_eq!(world.value(&name).await, value);
    }
}

#[tokio::test]
async fn the_ciphertext_is_bound_to_the_parameters_arn() {
    let world = World::new().await;
    let key_id = key(&world).await;
    world.put(under(&key_id, secure("/a", "hunter2"))).await;
    let input = GetParameterRequest { name: "/a".to_owned(), with_decryption: Some(false) };
    let sealed = world.call::<ops::GetParameter>(input).await.unwrap().parameter.unwrap();
    let blob = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.decode(&sealed.value.unwrap().0).unwrap()
    };
    let decrypt = async |arn: String| {
        let input = kms_shapes::DecryptRequest {
            ciphertext_blob: Some(haechi_wire::Blob(blob.clone())),
            encryption_context: Some([("PARAMETER_ARN".to_owned(), arn)].into()),
            ..Default::default()
        };
        world.kit.call::<kms_ops::Decrypt, _>(&*world.kms, &world.root, input).await
    };
    let own = decrypt(format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a")).await.unwrap();
    assert_eq!(own.plaintext.unwrap().0, b"hunter2");
    let other = decrypt(format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/b")).await;
    assert_eq!(code(other), "InvalidCiphertextException");
}

#[tokio::test]
async fn decryption_needs_the_readers_own_leave_of_the_key() {
    let world = World::new().await;
    let key_id = key(&world).await;
    world.put(under(&key_id, secure("/a", "hunter2"))).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}]}"#;
    let reader = world.kit.user(ACCOUNT, "reader", &[policy]);
    let get = async |with_decryption| {
        let input = GetParameterRequest { name: "/a".to_owned(), with_decryption };
        world.as_user::<ops::GetParameter>(&reader, input).await
    };
    assert!(get(None).await.is_ok());
    assert_eq!(code(get(Some(true)).await), "AccessDeniedException");
    let told = words(get(Some(true)).await);
    assert!(told.contains("kms:Decrypt"), "{told}");
    // Whose word it is.
    let service =
        " (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: ";
    assert!(told.contains(service) && told.ends_with("; Proxy: null)"), "{told}");
}

#[tokio::test]
async fn a_leave_that_holds_through_parameter_store_only_is_enough() {
    let world = World::new().await;
    let key_id = key(&world).await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Effect":"Allow","Action":"ssm:*","Resource":"*"}},
        {{"Effect":"Allow","Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*","Condition":
          {{"StringEquals":{{"kms:ViaService":"ssm.us-east-1.amazonaws.com",
            "kms:EncryptionContext:PARAMETER_ARN":"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a"}}}}}}]}}"#
    );
    let user = world.kit.user(ACCOUNT, "user", &[&policy]);
    let put = async |name: &str| {
        world.as_user::<ops::PutParameter>(&user, under(&key_id, secure(name, "x"))).await
    };
    assert!(put("/a").await.is_ok());
    assert_eq!(code(put("/b").await), "AccessDeniedException");
    let input = GetParameterRequest { name: "/a".to_owned(), with_decryption: Some(true) };
    assert!(world.as_user::<ops::GetParameter>(&user, input).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_missing_or_disabled_is_told() {
    let world = World::new().await;
    let put = async |key_id: &str| {
        world.call::<ops::PutParameter>(under(key_id, secure("/a", "x"))).await
    };
    assert_eq!(code(put("alias/nowhere").await), "InvalidKeyId");
    assert_eq!(words(put("alias/nowhere").await), "Invalid keyId alias/nowhere");
    let key_id = key(&world).await;
    put(&key_id).await.unwrap();
    // What was decrypted once is not remembered: the key's state binds the next read.
    assert_eq!(world.value("/a").await, "x");
    disable(&world, &key_id).await;
    assert_eq!(code(world.get("/a").await), "InvalidKeyId");
    assert!(words(world.get("/a").await).contains("Error Code: DisabledException"));
}

#[tokio::test]
async fn a_key_is_for_secure_strings_only() {
    let world = World::new().await;
    let refused = world.call::<ops::PutParameter>(under("alias/aws/ssm", string("/a", "x"))).await;
    assert_eq!(code(refused), "ValidationException");
}
