use proptest::prelude::*;

use super::*;

const METADATA: &str = r#""requestMetadata":{"awsPrincipalArn":"arn:aws:iam::123456789012:user/Alice",
    "kmsKeyArn":"arn:aws:kms:us-east-2:123456789012:/key/1","kmsOperation":"BulkEncrypt",
    "kmsRequestId":"any text","kmsViaService":"ebs","sourceIdentity":{"new":["field"]}}"#;

fn name_of(operation: Operation, body: &str) -> Option<ErrorName> {
    parse(operation, body.as_bytes()).err().map(|refusal| refusal.name)
}

#[test]
fn the_examples_of_the_specification_are_read() {
    let body = format!(
        r#"{{{METADATA},"additionalAuthenticatedData":"cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n",
            "plaintext":"SGVsbG8gV29ybGQh","encryptionAlgorithm":"AES_GCM",
            "ciphertextDataIntegrityValueAlgorithm":"SHA_256"}}"#
    );
    let request = parse(Operation::Encrypt, body.as_bytes()).ok().unwrap();
    assert_eq!(request.metadata.kms_via_service.as_deref(), Some("ebs"));
    let Call::Encrypt { plaintext, additional_data, integrity_value } = request.call else {
        panic!("not an Encrypt")
    };
    assert_eq!(plaintext.expose(), b"Hello World!");
    assert_eq!(additional_data, b"project=nile,department=marketing");
    assert!(integrity_value);

    let body = format!(
        r#"{{{METADATA},"encryptionAlgorithm":"AES_GCM","ciphertext":"ghxkK1txeDNn3q8Y",
            "ciphertextMetadata":"a2V5X3ZlcnNpb249MQ==","initializationVector":"HMrlRw85cAJUd5Ax",
            "authenticationTag":"vBxN2ncH1oEkR8WVXpmyYQ=="}}"#
    );
    let request = parse(Operation::Decrypt, body.as_bytes()).ok().unwrap();
    let Call::Decrypt { sealed, additional_data } = request.call else { panic!("not a Decrypt") };
    assert_eq!(sealed.metadata, b"key_version=1");
    assert_eq!((sealed.ciphertext.len(), sealed.initialization_vector.len()), (12, 12));
    assert!(additional_data.is_empty());
}

#[test]
fn what_is_missing_or_malformed_is_a_validation_exception() {
    let complete = r#","plaintext":"AA==","encryptionAlgorithm":"AES_GCM"}"#;
    let with = |rest: &str| format!("{{{METADATA}{rest}");
    for body in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        "{".to_owned(),
        with("}"),
        with(r#","plaintext":"AA=="}"#),
        with(r#","encryptionAlgorithm":"AES_GCM"}"#),
        with(r#","plaintext":"AA","encryptionAlgorithm":"AES_GCM"}"#),
        with(r#","plaintext":7,"encryptionAlgorithm":"AES_GCM"}"#),
        with(r#","plaintext":"AA==","encryptionAlgorithm":"AES_CBC"}"#),
        with(r#","plaintext":"AA==","plaintext":"AA==","encryptionAlgorithm":"AES_GCM"}"#),
        format!(r#"{{"requestMetadata":{{}}{complete}"#),
        with(&complete.replace('}', r#","ciphertextDataIntegrityValueAlgorithm":"MD5"}"#)),
        "[".repeat(100_000),
    ] {
        assert_eq!(name_of(Operation::Encrypt, &body), Some(ErrorName::Validation), "{body:.200}");
    }
    assert_eq!(name_of(Operation::Encrypt, &with(complete)), None);
}

#[test]
fn each_operation_asks_for_its_own_metadata() {
    let short = r#"{"requestMetadata":{"kmsOperation":"KmsHealthCheck","kmsRequestId":"1"}}"#;
    assert_eq!(name_of(Operation::GetHealthStatus, short), None);
    assert_eq!(name_of(Operation::GetKeyMetadata, short), Some(ErrorName::Validation));
    // CreateKey asks about a key before there is an ARN.
    let create = r#"{"requestMetadata":{"kmsOperation":"CreateKey","kmsRequestId":"1",
        "awsPrincipalArn":"arn:aws:iam::123456789012:user/Alice"}}"#;
    assert_eq!(name_of(Operation::GetKeyMetadata, create), None);
    for empty in ["{}", r#"{"requestMetadata":{}}"#] {
        assert_eq!(name_of(Operation::GetHealthStatus, empty), Some(ErrorName::Validation));
    }
}

#[test]
fn values_up_to_the_sizes_of_the_specification_are_read_and_longer_ones_not_supported() {
    let encoded = |length: usize| STANDARD.encode(vec![1; length]);
    let body = |plaintext: usize, additional: usize| {
        format!(
            r#"{{{METADATA},"plaintext":"{}","encryptionAlgorithm":"AES_GCM",
                "additionalAuthenticatedData":"{}"}}"#,
            encoded(plaintext),
            encoded(additional)
        )
    };
    assert_eq!(name_of(Operation::Encrypt, &body(4300, 8192)), None);
    assert!(body(8192, 8192).len() < BODY_BYTES_MAX - 4 * 2048);
    for (plaintext, additional) in [(8193, 0), (1, 8193)] {
        let name = name_of(Operation::Encrypt, &body(plaintext, additional));
        assert_eq!(name, Some(ErrorName::UnsupportedOperation));
    }
}

#[test]
fn parts_that_no_ciphertext_has_are_an_invalid_ciphertext() {
    let encoded = |length: usize| STANDARD.encode(vec![1; length]);
    let name = |metadata: usize, iv: usize, tag: usize| {
        let body = format!(
            r#"{{{METADATA},"encryptionAlgorithm":"AES_GCM","ciphertext":"AAAA",
                "ciphertextMetadata":"{}","initializationVector":"{}","authenticationTag":"{}"}}"#,
            encoded(metadata),
            encoded(iv),
            encoded(tag)
        );
        name_of(Operation::Decrypt, &body)
    };
    assert_eq!(name(20, 16, 16), None);
    assert_eq!(name(0, 12, 16), None);
    for (metadata, iv, tag) in [(21, 12, 16), (0, 13, 16), (0, 0, 16), (0, 12, 15), (0, 12, 17)] {
        assert_eq!(name(metadata, iv, tag), Some(ErrorName::InvalidCiphertext));
    }
}

#[test]
fn no_value_of_the_body_is_shown_in_an_error() {
    let body = r#"{"requestMetadata":"c2VjcmV0IHRleHQ=","plaintext":"c2VjcmV0IHRleHQ="}"#;
    let refusal = parse(Operation::Encrypt, body.as_bytes()).err().unwrap();
    assert!(!refusal.message.contains("c2VjcmV0"), "{}", refusal.message);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for operation in [
            Operation::GetHealthStatus,
            Operation::GetKeyMetadata,
            Operation::Encrypt,
            Operation::Decrypt,
        ] {
            let _ = parse(operation, &body);
        }
    }

    #[test]
    fn any_text_in_any_field_is_read_or_refused(
        fields in prop::collection::btree_map("(plaintext|ciphertext|ciphertextMetadata|\
            initializationVector|authenticationTag|encryptionAlgorithm|requestMetadata|\
            additionalAuthenticatedData|ciphertextDataIntegrityValueAlgorithm)", ".{0,40}", 0..9)
    ) {
        let body = serde_json::to_vec(&fields).unwrap();
        for operation in [Operation::Encrypt, Operation::Decrypt] {
            // Without metadata there is always something missing.
            prop_assert!(parse(operation, &body).is_err());
        }
    }
}
