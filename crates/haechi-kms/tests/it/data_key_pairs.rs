//! `GenerateDataKeyPair`, `GenerateDataKeyPairWithoutPlaintext`.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::openssl::Scratch;
use crate::world::*;

fn request(key_id: &str, spec: DataKeyPairSpec) -> GenerateDataKeyPairRequest {
    GenerateDataKeyPairRequest {
        key_id: key_id.to_owned(),
        key_pair_spec: spec,
        encryption_context: context(&[("for", "pairs")]),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_private_half_comes_twice_and_openssl_finds_that_it_fits_the_public_one() {
    use DataKeyPairSpec as Spec;
    let world = World::new().await;
    let key = world.key().await;
    let scratch = Scratch::new("pairs");
    for (spec, known) in [
        (Spec::Rsa2048, true),
        (Spec::EccNistP256, true),
        (Spec::EccNistP384, true),
        (Spec::EccNistP521, true),
        (Spec::EccSecgP256k1, true),
        (Spec::EccNistEdwards25519, true),
        (Spec::MlKem512, false),
        (Spec::MlKem768, false),
        (Spec::MlKem1024, false),
    ] {
        let input = request(&key.key_id, spec);
        let made = world.call::<ops::GenerateDataKeyPair>(&world.root, input).await.unwrap();
        assert_eq!((made.key_id, made.key_pair_spec), (key.arn.clone(), Some(spec)));
        assert_eq!(made.key_material_id, key.current_key_material_id);
        let private = made.private_key_plaintext.unwrap();
        let blob = made.private_key_ciphertext_blob.unwrap();
        let outcome = world.decrypt(&world.root, &blob).await;
        assert_refused(outcome, "InvalidCiphertextException", "");
        let input =
            DecryptRequest { encryption_context: context(&[("for", "pairs")]), ..sealed(&blob) };
        let opened = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
        assert_eq!(opened.plaintext.unwrap().0, private.0);
        // The openssl that is older than ML-KEM cannot tell.
        if known {
            scratch.write("private", &private.0);
            scratch.must("pkey -inform DER -in private -pubout -outform DER -out public");
            assert_eq!(scratch.read("public"), made.public_key.unwrap().0);
        }
    }
}

#[tokio::test]
async fn without_plaintext_there_is_a_public_key_and_a_blob() {
    let world = World::new().await;
    let key = world.key().await;
    let input = GenerateDataKeyPairWithoutPlaintextRequest {
        key_id: key.key_id.clone(),
        key_pair_spec: DataKeyPairSpec::EccNistP256,
        ..Default::default()
    };
    let made = world
        .call::<ops::GenerateDataKeyPairWithoutPlaintext>(&world.root, input.clone())
        .await
        .unwrap();
    let private =
        world.decrypt(&world.root, &made.private_key_ciphertext_blob.unwrap()).await.unwrap();
    let scratch = Scratch::new("quiet-pairs");
    scratch.write("private", &private);
    scratch.must("pkey -inform DER -in private -pubout -outform DER -out public");
    assert_eq!(scratch.read("public"), made.public_key.unwrap().0);
    let input = GenerateDataKeyPairWithoutPlaintextRequest { dry_run: Some(true), ..input };
    assert_refused(
        world.call::<ops::GenerateDataKeyPairWithoutPlaintext>(&world.root, input).await,
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
    );
}

#[tokio::test]
async fn only_symmetric_keys_protect_pairs_and_sm2_is_for_china() {
    let world = World::new().await;
    let pair = world.key_of(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let input = request(&pair.key_id, DataKeyPairSpec::EccNistP256);
    let outcome = world.call::<ops::GenerateDataKeyPair>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "InvalidKeyUsageException");
    let key = world.key().await;
    let input = request(&key.key_id, DataKeyPairSpec::Sm2);
    let outcome = world.call::<ops::GenerateDataKeyPair>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "UnsupportedOperationException");
}

#[tokio::test]
async fn policies_see_the_spec_of_the_pair() {
    let world = World::new().await;
    let key = world.key().await;
    let user = world.kit.user(
        ACCOUNT,
        "pairs",
        &[r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*",
            "Resource":"*","Condition":{"StringLike":{"kms:DataKeyPairSpec":"ECC_*"}}}]}"#],
    );
    let input = request(&key.key_id, DataKeyPairSpec::EccNistP256);
    assert!(world.call::<ops::GenerateDataKeyPair>(&user, input).await.is_ok());
    let input = request(&key.key_id, DataKeyPairSpec::MlKem512);
    let outcome = world.call::<ops::GenerateDataKeyPair>(&user, input).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
}
