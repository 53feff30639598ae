//! What reaches the XKS proxy, and blobs of keys in custom key stores: any bytes are read or refused,
//! and what is read is what was written.
//!
//! Input: byte 0 chooses. 0 to 3: a request's body for one of the operations. Others: a path, and a
//! blob of suite 02.
#![no_main]

use haechi_crypto::DoubledBlob;
use haechi_xks::Operation;
use haechi_xks::api::Target;
use haechi_xks::request::{ADDITIONAL_DATA_BYTES_MAX, Call, TEXT_BYTES_MAX, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| match data {
    [] => {}
    [0, body @ ..] => request(Operation::GetHealthStatus, body),
    [1, body @ ..] => request(Operation::GetKeyMetadata, body),
    [2, body @ ..] => request(Operation::Encrypt, body),
    [3, body @ ..] => request(Operation::Decrypt, body),
    [_, rest @ ..] => path_and_blob(rest),
});

fn request(operation: Operation, body: &[u8]) {
    let request = match parse(operation, body) {
        Ok(request) => request,
        Err(refusal) => {
            assert!(refusal.message.len() < 512 && refusal.message.is_ascii());
            return;
        }
    };
    assert!(request.metadata.kms_request_id.is_some());
    match request.call {
        Call::GetHealthStatus | Call::GetKeyMetadata => {}
        Call::Encrypt { plaintext, additional_data, .. } => {
            assert!(plaintext.len() <= TEXT_BYTES_MAX);
            assert!(additional_data.len() <= ADDITIONAL_DATA_BYTES_MAX);
        }
        Call::Decrypt { sealed, .. } => {
            assert!(sealed.metadata.len() <= 20);
            assert!(matches!(sealed.initialization_vector.len(), 12 | 16));
        }
    }
}

fn path_and_blob(bytes: &[u8]) {
    let path = String::from_utf8_lossy(bytes);
    if let Some(target) = Target::parse(&path) {
        let uri_path = format!("{}/kms/xks/v1", target.prefix);
        assert_eq!(target.operation.path(&uri_path, target.key_id), path);
    }
    if let Ok(blob) = DoubledBlob::parse(bytes) {
        assert_eq!(blob.to_bytes(), bytes);
    }
}
