//! Values of advanced `SecureString`s: encrypted under a data key of their own, which KMS encrypts.
//!
//! ```text
//! 81                                      format
//! length (2 bytes), encrypted data key    as KMS made it, for the parameter's ARN
//! length (2 bytes), frame                 at least once; each holds up to 4,096 bytes of the value
//! ```
//! A frame is a ciphertext of `haechi_crypto::ciphertext` (AES-256-GCM with key commitment). Its
//! encryption context is the parameter's, its own number and how many there are: frames that are
//! left out, repeated, in another order or from elsewhere do not open.
//!
//! The idea is the AWS Encryption SDK's message format; the bytes are our own.

use std::collections::BTreeMap;

use haechi_core::Env;
use haechi_crypto::ciphertext::{Blob, BlobKind, encrypt};
use haechi_crypto::{MaterialHandle, SecretBytes, SymmetricMaterial};
use haechi_wire::{Fault, SecretBlob};
use zeroize::Zeroizing;

/// No ciphertext of KMS begins like this.
const FORMAT: u8 = 0x81;

/// Bytes of the value in a frame, at most.
const FRAME_BYTES_MAX: usize = 4096;

/// An envelope, taken apart; nothing in it is authenticated yet.
pub(crate) struct Envelope<'a> {
    pub(crate) data_key: &'a [u8],
    frames: Vec<&'a [u8]>,
}

fn material(data_key: &SecretBlob) -> Result<SymmetricMaterial, Fault> {
    let secret = SecretBytes::copy_from(&data_key.0);
    let secret = secret.ok_or_else(|| Fault::internal("a data key must have 32 bytes"))?;
    Ok(SymmetricMaterial::new(secret))
}

fn context_of(
    context: &BTreeMap<String, String>,
    number: usize,
    frames: usize,
) -> BTreeMap<String, String> {
    let mut context = context.clone();
    context.insert("frame".to_owned(), number.to_string());
    context.insert("frames".to_owned(), frames.to_string());
    context
}

fn push(out: &mut Vec<u8>, part: &[u8]) -> Result<(), Fault> {
    let length = u16::try_from(part.len()).map_err(Fault::internal)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(part);
    Ok(())
}

/// Seals a value under a data key, which comes in both forms.
pub(crate) fn seal(
    env: &Env,
    data_key: &SecretBlob,
    encrypted_data_key: &[u8],
    context: &BTreeMap<String, String>,
    value: &[u8],
) -> Result<Vec<u8>, Fault> {
    let material = material(data_key)?;
    let handle = MaterialHandle::generate(&*env.random).map_err(Fault::internal)?;
    let frames: Vec<&[u8]> =
        if value.is_empty() { vec![value] } else { value.chunks(FRAME_BYTES_MAX).collect() };
    let mut out = vec![FORMAT];
    push(&mut out, encrypted_data_key)?;
    for (number, frame) in frames.iter().enumerate() {
        let context = context_of(context, number, frames.len());
        let kind = BlobKind::Encrypt;
        let sealed = encrypt(kind, &material, &handle, &context, frame, &*env.random);
        push(&mut out, &sealed.map_err(Fault::internal)?)?;
    }
    Ok(out)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    let (part, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    Some(part)
}

impl<'a> Envelope<'a> {
    /// Takes bytes apart, if they are an envelope at all.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Envelope<'a>> {
        let (format, mut rest) = bytes.split_first()?;
        if *format != FORMAT {
            return None;
        }
        let data_key = part(&mut rest)?;
        let mut frames = Vec::new();
        while !rest.is_empty() {
            frames.push(part(&mut rest)?);
        }
        Some(Envelope { data_key, frames })
    }

    /// Opens it with its data key.
    pub(crate) fn open(
        &self,
        data_key: &SecretBlob,
        context: &BTreeMap<String, String>,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let material = material(data_key)?;
        let mut value = Zeroizing::new(Vec::with_capacity(self.frames.len() * FRAME_BYTES_MAX));
        if self.frames.is_empty() {
            return Err(Fault::internal("an envelope must have a frame"));
        }
        for (number, frame) in self.frames.iter().enumerate() {
            let context = context_of(context, number, self.frames.len());
            let blob = Blob::parse(frame).map_err(Fault::internal)?;
            let opened = blob.decrypt(&material, &context).map_err(Fault::internal)?;
            value.extend_from_slice(opened.expose());
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use haechi_core::SystemClock;
    use haechi_crypto::SystemRandom;

    use super::*;
    use crate::secure::context;

    fn env() -> Env {
        Env::new(Arc::new(SystemClock), Arc::new(SystemRandom::new()))
    }

    fn key() -> SecretBlob {
        SecretBlob((0..32).collect())
    }

    #[test]
    fn an_envelope_opens_with_its_data_key_for_its_parameter_only() {
        for length in [0, 1, 4096, 4097, 8192] {
            let value = vec![b'x'; length];
            let sealed = seal(&env(), &key(), b"wrapped", &context("a"), &value).unwrap();
            let envelope = Envelope::parse(&sealed).unwrap();
            assert_eq!(envelope.data_key, b"wrapped");
            assert_eq!(*envelope.open(&key(), &context("a")).unwrap(), value);
            assert!(envelope.open(&key(), &context("b")).is_err());
            assert!(envelope.open(&SecretBlob(vec![9; 32]), &context("a")).is_err());
        }
    }

    #[test]
    fn frames_cannot_be_left_out_or_exchanged() {
        let sealed = seal(&env(), &key(), b"", &context("a"), &[7; 8192]).unwrap();
        let mut envelope = Envelope::parse(&sealed).unwrap();
        envelope.frames.swap(0, 1);
        assert!(envelope.open(&key(), &context("a")).is_err());
        envelope.frames.truncate(1);
        assert!(envelope.open(&key(), &context("a")).is_err());
        envelope.frames.clear();
        assert!(envelope.open(&key(), &context("a")).is_err());
    }

    #[test]
    fn what_is_cut_off_is_no_envelope() {
        let sealed = seal(&env(), &key(), b"wrapped", &context("a"), b"value").unwrap();
        for length in 0..sealed.len() {
            let cut = Envelope::parse(&sealed[..length]);
            assert!(cut.is_none_or(|cut| cut.open(&key(), &context("a")).is_err()), "{length}");
        }
    }
}
