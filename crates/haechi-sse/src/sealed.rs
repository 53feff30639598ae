//! A text under a data key.
//!
//! ```text
//! sealed text = base64(random nonce ‖ AES-256-GCM of the text)
//! additional data = ARN of the resource
//! ```
//! A nonce is drawn for each text: one data key seals far fewer than 2³² in a day.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use haechi_core::Env;
use haechi_core::database::Unknown;
use haechi_wire::{Fault, SecretBlob};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How a text was sealed; it is stored beside the sealed text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// The KMS key.
    pub(crate) kms_key_arn: String,
    /// The data key as KMS encrypted it, in base64.
    pub(crate) data_key: String,
    /// The queue or topic that it was sent to: KMS's encryption context.
    pub(crate) resource_arn: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Sealed {
    pub(crate) fn new(kms_key_arn: String, data_key: &[u8], resource_arn: &str) -> Sealed {
        Sealed {
            kms_key_arn,
            data_key: STANDARD.encode(data_key),
            resource_arn: resource_arn.to_owned(),
            unknown: BTreeMap::new(),
        }
    }

    pub(crate) fn data_key(&self) -> Result<Vec<u8>, Fault> {
        STANDARD.decode(&self.data_key).map_err(Fault::internal)
    }
}

fn cipher(key: &SecretBlob) -> Result<LessSafeKey, Fault> {
    UnboundKey::new(&AES_256_GCM, &key.0).map(LessSafeKey::new).map_err(Fault::internal)
}

/// Seals a text for a resource.
pub(crate) fn seal(
    env: &Env,
    key: &SecretBlob,
    resource_arn: &str,
    text: &str,
) -> Result<String, Fault> {
    let mut nonce = [0; NONCE_LEN];
    env.random.fill(&mut nonce).map_err(Fault::internal)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 16));
    bytes.extend_from_slice(text.as_bytes());
    let aad = Aad::from(resource_arn.as_bytes());
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut *bytes)
        .map_err(Fault::internal)?;
    Ok(STANDARD.encode([&nonce[..], &bytes].concat()))
}

/// Opens a text of a resource.
pub(crate) fn open(key: &SecretBlob, resource_arn: &str, text: &str) -> Result<String, Fault> {
    let bytes = STANDARD.decode(text).map_err(Fault::internal)?;
    let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE_LEN>() else {
        return Err(Fault::internal("a sealed text is too short"));
    };
    let mut sealed = sealed.to_vec();
    let aad = Aad::from(resource_arn.as_bytes());
    let plain = cipher(key)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut sealed)
        .map_err(Fault::internal)?;
    String::from_utf8(plain.to_vec()).map_err(|_| Fault::internal("a text is not text"))
}

#[cfg(test)]
mod tests {
    use haechi_testkit::Kit;

    use super::*;

    #[tokio::test]
    async fn a_text_opens_under_its_key_and_for_its_resource_only() {
        let kit = Kit::new().await;
        let key = SecretBlob(vec![7; 32]);
        let sealed = seal(&kit.env, &key, "arn:a", "text").unwrap();
        assert_ne!(sealed, seal(&kit.env, &key, "arn:a", "text").unwrap());
        assert_eq!(open(&key, "arn:a", &sealed).unwrap(), "text");
        assert!(open(&key, "arn:b", &sealed).is_err());
        assert!(open(&SecretBlob(vec![8; 32]), "arn:a", &sealed).is_err());
        assert!(open(&key, "arn:a", "AAAA").is_err());
    }
}
