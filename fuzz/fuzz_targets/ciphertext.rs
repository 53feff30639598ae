//! Blobs as anyone may send them: parsing is total, no invented blob opens, and what is encrypted
//! here opens with its own context and material, and with nothing else.
//!
//! Input: byte 0 chooses. Even: the rest is a blob. Odd: byte 1 is the length of a context value,
//! then that value, then the plaintext, whose blob is then changed in one bit.
#![no_main]

use haechi_crypto::ciphertext::{EncryptionContext, PLAINTEXT_BYTES_MAX, encrypt};
use haechi_crypto::{
    Blob, BlobKind, CryptoError, MaterialHandle, Random, SecretBytes, SymmetricMaterial,
};
use libfuzzer_sys::fuzz_target;

/// The same bytes every time, so that a finding can be repeated.
struct Fixed;

impl Random for Fixed {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(0x5a);
        Ok(())
    }
}

fn material(byte: u8) -> SymmetricMaterial {
    SymmetricMaterial::new(SecretBytes::take(&mut [byte; 32]))
}

fuzz_target!(|data: &[u8]| match data {
    [] => {}
    [choice, blob @ ..] if choice % 2 == 0 => invented(blob),
    [_, rest @ ..] => made_here(rest),
});

/// Nobody who lacks the material can make a blob that opens.
fn invented(bytes: &[u8]) {
    let Ok(blob) = Blob::parse(bytes) else { return };
    assert_eq!(blob.plaintext_len() + 130, bytes.len());
    assert_eq!(blob.handle().as_bytes().as_slice(), &bytes[5..37]);
    assert!(blob.decrypt(&material(1), &EncryptionContext::new()).is_err());
}

fn made_here(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else { return };
    let (value, plaintext) = rest.split_at(rest.len().min(usize::from(length)));
    let plaintext = &plaintext[..plaintext.len().min(PLAINTEXT_BYTES_MAX)];
    let value = String::from_utf8_lossy(value).into_owned();
    let context = EncryptionContext::from([("key".to_owned(), value)]);
    let handle = MaterialHandle::from_bytes([7; 32]);
    let kind = BlobKind::GenerateDataKey;
    let bytes = encrypt(kind, &material(1), &handle, &context, plaintext, &Fixed);
    let mut bytes = bytes.expect("within the limit");

    let blob = Blob::parse(&bytes).expect("our own blob");
    let opened = blob.decrypt(&material(1), &context).expect("our own blob");
    assert_eq!(opened.expose(), plaintext);
    assert!(blob.decrypt(&material(2), &context).is_err(), "other material");
    assert!(blob.decrypt(&material(1), &EncryptionContext::new()).is_err(), "other context");

    let bit = data.iter().fold(0usize, |sum, byte| sum * 31 % 65_521 + usize::from(*byte));
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    let opens = Blob::parse(&bytes).is_ok_and(|blob| blob.decrypt(&material(1), &context).is_ok());
    assert!(!opens, "bit {bit}");
}
