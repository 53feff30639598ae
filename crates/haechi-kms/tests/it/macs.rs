//! `GenerateMac`, `VerifyMac`.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Blob, Problem, SecretBlob};

use crate::world::*;

const MESSAGE: &[u8] = b"some important message";

async fn mac(world: &World, key_id: &str, algorithm: MacAlgorithmSpec) -> Result<Blob, Problem> {
    let input = GenerateMacRequest {
        key_id: key_id.to_owned(),
        message: SecretBlob(MESSAGE.to_vec()),
        mac_algorithm: algorithm,
        ..Default::default()
    };
    let output = world.call::<ops::GenerateMac>(&world.root, input).await?;
    Ok(output.mac.unwrap())
}

fn check(
    key_id: &str,
    algorithm: MacAlgorithmSpec,
    message: &[u8],
    mac: &Blob,
) -> VerifyMacRequest {
    VerifyMacRequest {
        key_id: key_id.to_owned(),
        message: SecretBlob(message.to_vec()),
        mac_algorithm: algorithm,
        mac: mac.clone(),
        ..Default::default()
    }
}

#[tokio::test]
async fn every_hmac_spec_has_one_algorithm_and_verifies_whole_tags_only() {
    let world = World::new().await;
    for (spec, algorithm, length) in [
        (KeySpec::Hmac224, MacAlgorithmSpec::HmacSha224, 28),
        (KeySpec::Hmac256, MacAlgorithmSpec::HmacSha256, 32),
        (KeySpec::Hmac384, MacAlgorithmSpec::HmacSha384, 48),
        (KeySpec::Hmac512, MacAlgorithmSpec::HmacSha512, 64),
    ] {
        let key = world.key_of(spec, KeyUsageType::GenerateVerifyMac).await;
        assert_eq!(key.mac_algorithms, Some(vec![algorithm]));
        let tag = mac(&world, &key.key_id, algorithm).await.unwrap();
        assert_eq!(tag.0.len(), length);
        let input = check(&key.key_id, algorithm, MESSAGE, &tag);
        let output = world.call::<ops::VerifyMac>(&world.root, input).await.unwrap();
        assert_eq!((output.mac_valid, output.key_id), (Some(true), key.arn));
        let short = Blob(tag.0[..length - 1].to_vec());
        for (message, tag) in [(b"some other message".as_slice(), &tag), (MESSAGE, &short)] {
            let input = check(&key.key_id, algorithm, message, tag);
            let outcome = world.call::<ops::VerifyMac>(&world.root, input).await;
            assert_refused(outcome, "KMSInvalidMacException", "");
        }
    }
}

#[tokio::test]
async fn an_algorithm_of_another_spec_is_refused_as_recorded() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await;
    assert_refused(
        mac(&world, &key.key_id, MacAlgorithmSpec::HmacSha512).await,
        "InvalidKeyUsageException",
        "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
    );
    let tag = Blob(vec![0; 64]);
    let input = check(&key.key_id, MacAlgorithmSpec::HmacSha512, MESSAGE, &tag);
    assert_refused(
        world.call::<ops::VerifyMac>(&world.root, input).await,
        "InvalidKeyUsageException",
        "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
    );
}

#[tokio::test]
async fn policies_see_the_mac_algorithm_and_dry_runs_end_before_the_tag() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::Hmac384, KeyUsageType::GenerateVerifyMac).await;
    let input = |dry_run| GenerateMacRequest {
        key_id: key.key_id.clone(),
        message: SecretBlob(MESSAGE.to_vec()),
        mac_algorithm: MacAlgorithmSpec::HmacSha384,
        dry_run,
        ..Default::default()
    };
    for (allowed, algorithm) in [(true, "HMAC_SHA_384"), (false, "HMAC_SHA_256")] {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kms:*",
                "Resource":"*","Condition":{{"StringEquals":{{
                "kms:MacAlgorithm":"{algorithm}"}}}}}}]}}"#
        );
        let user = world.kit.user(ACCOUNT, "maker", &[&policy]);
        let outcome = world.call::<ops::GenerateMac>(&user, input(None)).await;
        assert_eq!(outcome.is_ok(), allowed, "{algorithm}");
    }
    let outcome = world.call::<ops::GenerateMac>(&world.root, input(Some(true))).await;
    assert_eq!(refused(outcome).0, "DryRunOperationException");
}
