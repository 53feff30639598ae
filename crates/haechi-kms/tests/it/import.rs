//! `GetParametersForImport`, `ImportKeyMaterial`, `DeleteImportedKeyMaterial`, with material that
//! openssl makes and wraps.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Blob, Problem, SecretBlob, Timestamp};

use crate::openssl::Scratch;
use crate::world::*;

use AlgorithmSpec as Algorithm;

impl World {
    pub async fn external(&self, spec: KeySpec, usage: KeyUsageType) -> KeyMetadata {
        let origin = Some(OriginType::External);
        let (key_spec, key_usage) = (Some(spec), Some(usage));
        let input = CreateKeyRequest { origin, key_spec, key_usage, ..Default::default() };
        self.key_with(input).await
    }

    async fn parameters(
        &self,
        key_id: &str,
        algorithm: Algorithm,
        spec: WrappingKeySpec,
    ) -> Result<GetParametersForImportResponse, Problem> {
        let input = GetParametersForImportRequest {
            key_id: key_id.to_owned(),
            wrapping_algorithm: algorithm,
            wrapping_key_spec: spec,
        };
        self.call::<ops::GetParametersForImport>(&self.root, input).await
    }

    /// A request to import `material`, wrapped by openssl.
    pub async fn importing(
        &self,
        key_id: &str,
        material: &[u8],
        algorithm: Algorithm,
    ) -> ImportKeyMaterialRequest {
        let spec = WrappingKeySpec::Rsa2048;
        let made = self.parameters(key_id, algorithm, spec).await.unwrap();
        let wrapped = wrap(&made.public_key.unwrap().0, material, algorithm);
        ImportKeyMaterialRequest {
            key_id: key_id.to_owned(),
            import_token: made.import_token.unwrap(),
            encrypted_key_material: Blob(wrapped),
            expiration_model: Some(ExpirationModelType::KeyMaterialDoesNotExpire),
            ..Default::default()
        }
    }

    pub async fn import(&self, input: ImportKeyMaterialRequest) -> Result<Option<String>, Problem> {
        let output = self.call::<ops::ImportKeyMaterial>(&self.root, input).await?;
        Ok(output.key_material_id)
    }

    async fn import_symmetric(&self, key_id: &str, material: &[u8]) -> Result<String, Problem> {
        let input = self.importing(key_id, material, Algorithm::RsaesOaepSha256).await;
        Ok(self.import(input).await?.unwrap())
    }

    async fn delete_material(&self, key_id: &str, material: Option<&str>) -> Result<(), Problem> {
        let input = DeleteImportedKeyMaterialRequest {
            key_id: key_id.to_owned(),
            key_material_id: material.map(str::to_owned),
        };
        self.call::<ops::DeleteImportedKeyMaterial>(&self.root, input).await.map(|_| ())
    }
}

/// Wraps with openssl, as a customer would.
fn wrap(public_key: &[u8], material: &[u8], algorithm: Algorithm) -> Vec<u8> {
    static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let scratch = Scratch::new(&format!("import-{run}"));
    scratch.write("public", public_key);
    let oaep = |input: &str, output: &str| {
        let hash = if algorithm.as_str().ends_with("SHA_1") { "sha1" } else { "sha256" };
        scratch.must(&format!(
            "pkeyutl -encrypt -pubin -keyform DER -inkey public -in {input} -out {output} \
             -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:{hash}"
        ));
        scratch.read(output)
    };
    scratch.write("material", material);
    match algorithm {
        Algorithm::RsaesOaepSha1 | Algorithm::RsaesOaepSha256 => oaep("material", "wrapped"),
        _ => {
            scratch.write("aes", &[0x42; 32]);
            let key = "42".repeat(32);
            scratch.must(&format!(
                "enc -id-aes256-wrap-pad -K {key} -iv A65959A6 -in material -out wrapped"
            ));
            [oaep("aes", "wrapped-aes"), scratch.read("wrapped")].concat()
        }
    }
}

fn symmetric() -> (KeySpec, KeyUsageType) {
    (KeySpec::SymmetricDefault, KeyUsageType::EncryptDecrypt)
}

#[tokio::test]
async fn a_key_waits_for_its_material_works_with_it_and_waits_again_without() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    let arn = key.arn.clone().unwrap();
    assert_eq!((key.enabled, key.key_state), (Some(false), Some(KeyState::PendingImport)));
    assert_eq!((&key.current_key_material_id, key.expiration_model), (&None, None));
    let pending = format!("{arn} is pending import.");
    let outcome = world.encrypt(&world.root, &key.key_id).await;
    assert_refused(outcome, "KMSInvalidStateException", &pending);

    let id = world.import_symmetric(&key.key_id, &[7; 32]).await.unwrap();
    let there = world.describe(&key.key_id).await.unwrap();
    assert_eq!((there.enabled, there.key_state), (Some(true), Some(KeyState::Enabled)));
    assert_eq!(there.current_key_material_id.as_ref(), Some(&id));
    assert_eq!(there.expiration_model, Some(ExpirationModelType::KeyMaterialDoesNotExpire));
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();

    world.delete_material(&key.key_id, None).await.unwrap();
    let gone = world.describe(&key.key_id).await.unwrap();
    assert_eq!(gone.key_state, Some(KeyState::PendingImport));
    assert_eq!((gone.current_key_material_id, gone.expiration_model), (Some(id.clone()), None));
    let outcome = world.encrypt(&world.root, &key.key_id).await;
    assert_refused(outcome, "KMSInvalidStateException", &pending);
    let outcome = world.decrypt(&world.root, &blob).await;
    assert_refused(outcome, "KMSInvalidStateException", &pending);

    let outcome = world.import_symmetric(&key.key_id, &[8; 32]).await;
    assert_eq!(refused(outcome).0, "IncorrectKeyMaterialException");
    let again = world.import_symmetric(&key.key_id, &[7; 32]).await.unwrap();
    assert_eq!(again, id);
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn every_kind_of_key_is_imported_with_every_algorithm_that_carries_it() {
    let world = World::new().await;
    let scratch = Scratch::new("kinds");
    let pkcs8 = |words: &str| {
        scratch.must(&format!("genpkey {words} -outform PEM -out key"));
        scratch.must("pkcs8 -topk8 -nocrypt -in key -outform DER -out der");
        scratch.must("pkey -in key -pubout -outform DER -out public");
        (scratch.read("der"), scratch.read("public"))
    };
    let wrap = [Algorithm::RsaAesKeyWrapSha1, Algorithm::RsaAesKeyWrapSha256];
    let all = [wrap.as_slice(), &[Algorithm::RsaesOaepSha1, Algorithm::RsaesOaepSha256]].concat();
    let ec = |curve: &str| format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}");
    let rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048".to_owned();
    for (spec, usage, words, algorithms) in [
        (KeySpec::Rsa2048, KeyUsageType::SignVerify, rsa, &wrap[..]),
        (KeySpec::EccNistP256, KeyUsageType::SignVerify, ec("P-256"), &all),
        (KeySpec::EccNistP384, KeyUsageType::KeyAgreement, ec("P-384"), &all),
        (KeySpec::EccNistP521, KeyUsageType::SignVerify, ec("P-521"), &wrap),
        (KeySpec::EccSecgP256k1, KeyUsageType::SignVerify, ec("secp256k1"), &all),
    ] {
        for algorithm in algorithms {
            let (material, public) = pkcs8(&words);
            let key = world.external(spec, usage).await;
            let input = world.importing(&key.key_id, &material, *algorithm).await;
            assert_eq!(world.import(input).await.unwrap(), None, "{spec:?} {algorithm:?}");
            let found = world.public_key(&key.key_id).await.unwrap();
            assert_eq!(found.public_key.unwrap().0, public);
        }
    }
    let key = world.external(KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await;
    let input = world.importing(&key.key_id, &[3; 32], Algorithm::RsaesOaepSha1).await;
    world.import(input).await.unwrap();
    let input = GenerateMacRequest {
        key_id: key.key_id,
        message: SecretBlob(b"m".to_vec()),
        mac_algorithm: MacAlgorithmSpec::HmacSha256,
        ..Default::default()
    };
    let mac = world.call::<ops::GenerateMac>(&world.root, input).await.unwrap().mac.unwrap();
    scratch.write("message", b"m");
    let key = "03".repeat(32);
    scratch.must(&format!(
        "mac -digest SHA256 -macopt hexkey:{key} -in message -binary -out mac HMAC"
    ));
    assert_eq!(mac.0, scratch.read("mac"));
}

#[tokio::test]
async fn keys_with_material_of_their_own_and_algorithms_of_the_past_are_refused() {
    let world = World::new().await;
    let key = world.key().await;
    let spec = WrappingKeySpec::Rsa2048;
    assert_refused(
        world.parameters(&key.key_id, Algorithm::RsaesOaepSha256, spec).await.map(|_| ()),
        "UnsupportedOperationException",
        &format!("{} origin is AWS_KMS which is not valid for this operation.", key.arn.unwrap()),
    );
    let (symmetric, usage) = symmetric();
    let key = world.external(symmetric, usage).await;
    for (algorithm, spec) in [
        (Algorithm::RsaesPkcs1V15, spec),
        (Algorithm::Sm2pke, WrappingKeySpec::Sm2),
        (Algorithm::RsaesOaepSha256, WrappingKeySpec::Sm2),
    ] {
        let outcome = world.parameters(&key.key_id, algorithm, spec).await.map(|_| ());
        assert_eq!(refused(outcome).0, "UnsupportedOperationException");
    }
    let pair = world.external(KeySpec::Rsa2048, KeyUsageType::SignVerify).await;
    let outcome = world.parameters(&pair.key_id, Algorithm::RsaesOaepSha256, spec).await;
    assert_eq!(refused(outcome.map(|_| ())).0, "ValidationException");
}

#[tokio::test]
async fn a_token_serves_one_key_once_and_for_a_day() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let (key, other) = (world.external(spec, usage).await, world.external(spec, usage).await);
    let algorithm = Algorithm::RsaesOaepSha256;
    let input = world.importing(&key.key_id, &[7; 32], algorithm).await;
    let elsewhere = ImportKeyMaterialRequest { key_id: other.key_id.clone(), ..input.clone() };
    assert_eq!(refused(world.import(elsewhere).await).0, "InvalidImportTokenException");
    let mut changed = input.clone();
    changed.import_token.0[20] ^= 1;
    assert_eq!(refused(world.import(changed).await).0, "InvalidImportTokenException");
    world.import(input.clone()).await.unwrap();
    assert_eq!(refused(world.import(input).await).0, "InvalidImportTokenException");
    let input = world.importing(&other.key_id, &[7; 32], algorithm).await;
    world.kit.clock.advance(86_400);
    assert_eq!(refused(world.import(input).await).0, "ExpiredImportTokenException");
}

#[tokio::test]
async fn material_that_is_wrapped_wrongly_or_of_the_wrong_size_is_refused_without_a_word() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    let algorithm = Algorithm::RsaesOaepSha256;
    let short = world.importing(&key.key_id, &[7; 31], algorithm).await;
    let mut changed = world.importing(&key.key_id, &[7; 32], algorithm).await;
    changed.encrypted_key_material.0[9] ^= 1;
    for input in [short, changed] {
        assert_refused(world.import(input).await, "InvalidCiphertextException", "");
    }
}

#[tokio::test]
async fn material_expires_at_its_date_and_can_be_imported_for_longer() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    let algorithm = Algorithm::RsaesOaepSha256;
    let expires = Some(ExpirationModelType::KeyMaterialExpires);
    let import = async |valid_to: Option<Timestamp>, model| {
        let input = world.importing(&key.key_id, &[7; 32], algorithm).await;
        let input = ImportKeyMaterialRequest { valid_to, expiration_model: model, ..input };
        world.import(input).await
    };
    assert_refused(
        import(None, expires).await,
        "ValidationException",
        "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
    );
    let now = world.kit.env.now();
    for refused_date in [now, now.plus_seconds(366 * 86_400)] {
        assert_eq!(refused(import(Some(refused_date), expires).await).0, "ValidationException");
    }
    let until = |days: i64| Some(now.plus_seconds(days * 86_400));
    import(until(10), expires).await.unwrap();
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!(described.valid_to, until(10));
    assert_eq!(described.expiration_model, expires);
    import(until(20), expires).await.unwrap();
    world.pass_days(10).await;
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::Enabled));
    world.pass_days(10).await;
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::PendingImport));
    import(None, Some(ExpirationModelType::KeyMaterialDoesNotExpire)).await.unwrap();
    world.pass_days(400).await;
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::Enabled));
}

#[tokio::test]
async fn a_policy_bounds_the_date_until_which_material_may_be_used() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    let now = world.kit.env.now();
    let latest = now.plus_seconds(20 * 86_400);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kms:*","Resource":"*",
           "Condition":{{"NumericLessThanEquals":{{"kms:ValidTo":"{}.0"}}}}}}]}}"#,
        latest.seconds()
    );
    let admin = world.kit.user(ACCOUNT, "admin", &[&policy]);
    for (days, allowed) in [(21, false), (20, true)] {
        let input = world.importing(&key.key_id, &[7; 32], Algorithm::RsaesOaepSha256).await;
        let input = ImportKeyMaterialRequest {
            valid_to: Some(now.plus_seconds(days * 86_400)),
            expiration_model: Some(ExpirationModelType::KeyMaterialExpires),
            ..input
        };
        let made = world.call::<ops::ImportKeyMaterial>(&admin, input).await;
        assert_eq!(made.is_ok(), allowed, "{days} days");
    }
}

#[tokio::test]
async fn of_several_materials_the_one_that_expires_first_is_told() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    let until = world.kit.env.now().plus_seconds(10 * 86_400);
    let input = world.importing(&key.key_id, &[1; 32], Algorithm::RsaesOaepSha256).await;
    let expiration_model = Some(ExpirationModelType::KeyMaterialExpires);
    let valid_to = Some(until);
    let input = ImportKeyMaterialRequest { valid_to, expiration_model, ..input };
    world.import(input).await.unwrap();
    let input = world.importing(&key.key_id, &[2; 32], Algorithm::RsaesOaepSha256).await;
    let import_type = Some(ImportType::NewKeyMaterial);
    world.import(ImportKeyMaterialRequest { import_type, ..input }).await.unwrap();
    world.rotate(&key.key_id).await.unwrap();
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!((described.valid_to, described.expiration_model), (valid_to, expiration_model));
    world.pass_days(10).await;
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!(described.key_state, Some(KeyState::PendingImport));
}

#[tokio::test]
async fn new_material_waits_for_the_rotation_that_makes_it_current() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    let first = world.import_symmetric(&key.key_id, &[1; 32]).await.unwrap();
    let old = world.encrypt(&world.root, &key.key_id).await.unwrap();
    assert_refused(
        world.rotate(&key.key_id).await,
        "KMSInvalidStateException",
        &format!(
            "No available key material pending rotation for the key: {}.",
            key.arn.clone().unwrap()
        ),
    );
    let fresh = async |byte: u8| {
        let input = world.importing(&key.key_id, &[byte; 32], Algorithm::RsaesOaepSha256).await;
        let import_type = Some(ImportType::NewKeyMaterial);
        let key_material_description = Some("second".to_owned());
        world
            .import(ImportKeyMaterialRequest { import_type, key_material_description, ..input })
            .await
    };
    assert_eq!(refused(fresh(1).await).0, "IncorrectKeyMaterialException");
    let second = fresh(2).await.unwrap().unwrap();
    assert_ne!(first, second);
    let (code, message) = refused(fresh(3).await);
    assert_eq!(code, "KMSInvalidStateException");
    let told = format!(
        "cannot be imported into KMS key {}, because another key material (id: {second}) is pending \
         rotation.",
        key.arn.clone().unwrap()
    );
    assert!(message.starts_with("New key material (id: "), "{message}");
    assert!(message.ends_with(&told), "{message}");
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!(described.current_key_material_id.as_ref(), Some(&first));
    let entries = world.rotations(&key.key_id, true).await;
    assert_eq!(entries[1].key_material_state, Some(KeyMaterialState::PendingRotation));
    assert_eq!(entries[1].key_material_description.as_deref(), Some("second"));
    assert_eq!(entries[1].import_state, Some(ImportState::Imported));

    world.rotate(&key.key_id).await.unwrap();
    let described = world.describe(&key.key_id).await.unwrap();
    assert_eq!(described.current_key_material_id.as_ref(), Some(&second));
    assert_eq!(world.decrypt(&world.root, &old).await.unwrap(), PLAINTEXT);

    // Without its oldest material the key as a whole waits.
    world.delete_material(&key.key_id, Some(&first)).await.unwrap();
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::PendingImport));
    let again = world.import_symmetric(&key.key_id, &[1; 32]).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(world.decrypt(&world.root, &old).await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn material_that_waits_for_a_rotation_leaves_nothing_behind_when_it_is_deleted() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    world.import_symmetric(&key.key_id, &[1; 32]).await.unwrap();
    let input = world.importing(&key.key_id, &[2; 32], Algorithm::RsaesOaepSha256).await;
    let import_type = Some(ImportType::NewKeyMaterial);
    let id = world.import(ImportKeyMaterialRequest { import_type, ..input }).await.unwrap();
    world.delete_material(&key.key_id, id.as_deref()).await.unwrap();
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::Enabled));
    assert_eq!(world.rotations(&key.key_id, true).await.len(), 1);
}

#[tokio::test]
async fn the_state_of_a_doomed_key_stays_when_its_material_goes() {
    let world = World::new().await;
    let (spec, usage) = symmetric();
    let key = world.external(spec, usage).await;
    world.import_symmetric(&key.key_id, &[1; 32]).await.unwrap();
    world.schedule_deletion(&key.key_id, 7).await;
    world.delete_material(&key.key_id, None).await.unwrap();
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::PendingDeletion));
    let input = CancelKeyDeletionRequest { key_id: key.key_id.clone() };
    world.call::<ops::CancelKeyDeletion>(&world.root, input).await.unwrap();
    let state = world.describe(&key.key_id).await.unwrap().key_state;
    assert_eq!(state, Some(KeyState::PendingImport));
}

#[tokio::test]
async fn only_keys_that_can_have_several_materials_take_what_speaks_of_them() {
    let world = World::new().await;
    let key = world.external(KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await.key_id;
    let plainly = world.importing(&key, &[3; 32], Algorithm::RsaesOaepSha256).await;
    for input in [
        ImportKeyMaterialRequest {
            import_type: Some(ImportType::NewKeyMaterial),
            ..plainly.clone()
        },
        ImportKeyMaterialRequest {
            import_type: Some(ImportType::ExistingKeyMaterial),
            ..plainly.clone()
        },
        ImportKeyMaterialRequest {
            key_material_description: Some("the first".to_owned()),
            ..plainly.clone()
        },
        ImportKeyMaterialRequest { key_material_id: Some("a".repeat(64)), ..plainly.clone() },
    ] {
        assert_eq!(refused(world.import(input).await).0, "UnsupportedOperationException");
    }
    // The token was not spent, and no id is told.
    assert_eq!(world.import(plainly).await.unwrap(), None);
    let another = world.importing(&key, &[4; 32], Algorithm::RsaesOaepSha256).await;
    assert_eq!(refused(world.import(another).await).0, "IncorrectKeyMaterialException");
    let again = world.importing(&key, &[3; 32], Algorithm::RsaesOaepSha256).await;
    assert_eq!(world.import(again).await.unwrap(), None);
}
