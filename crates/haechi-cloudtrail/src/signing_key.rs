//! The key pairs that sign digest files: RSA-2048, one at a time in each Region.
//!
//! Source: User Guide, "Validating CloudTrail log file integrity"; RFC 8017 (PKCS#1 v1.5).

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use haechi_core::database::Unknown;
use haechi_core::{Batch, Database};
use haechi_wire::{Fault, Timestamp};
use zeroize::Zeroizing;

use crate::store::{SigningKeyRecord, keys_path};
use crate::{blocking, hex, sha256};

/// How long a key pair signs: 90 days.
const VALID_SECONDS: i64 = 90 * 86_400;

/// A key pair, ready to sign.
pub(crate) struct SigningKey {
    pair: KeyPair,
    pub(crate) fingerprint: String,
}

impl SigningKey {
    /// The key of a Region that signs at `now`; made, and stored, where there is none.
    pub(crate) async fn of(
        database: &Database,
        region: &str,
        now: Timestamp,
    ) -> Result<SigningKey, Fault> {
        let rows = database.list_all::<SigningKeyRecord>(&keys_path(region)).await?;
        let valid = |row: &SigningKeyRecord| (row.from_ms..row.to_ms).contains(&now.millis());
        if let Some(row) = rows.iter().find(|row| valid(&row.value)) {
            let pair = KeyPair::from_pkcs8(&row.value.private).map_err(Fault::internal)?;
            return Ok(SigningKey { pair, fingerprint: row.value.fingerprint.clone() });
        }
        let pair =
            blocking(|| KeyPair::generate(KeySize::Rsa2048).map_err(Fault::internal)).await?;
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(Fault::internal)?;
        let public = pair.public_key().as_ref().to_vec();
        let record = SigningKeyRecord {
            region: region.to_owned(),
            fingerprint: fingerprint(&public),
            private: Zeroizing::new(private.as_ref().to_vec()),
            public,
            from_ms: now.millis(),
            to_ms: now.plus_seconds(VALID_SECONDS).millis(),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(keys_path(region).part(&record.fingerprint), &record);
        database.commit(batch).await?;
        Ok(SigningKey { pair, fingerprint: record.fingerprint })
    }

    /// A signature (RSASSA-PKCS1-v1_5 with SHA-256), in hex.
    pub(crate) fn sign(&self, text: &str) -> Result<String, Fault> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        // This scheme draws no random bytes; the interface asks for their source all the same.
        let unused = SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &unused, text.as_bytes(), &mut signature)
            .map_err(Fault::internal)?;
        Ok(hex(&signature))
    }
}

/// Names a public key: half of the SHA-256 of its DER, in hex (AWS's is 32 digits long too).
fn fingerprint(public: &[u8]) -> String {
    hex(sha256(public).first_chunk::<16>().map_or(&[][..], |half| half))
}

/// Whether the signature (hex) of a text was made by the private half of a public key (PKCS#1 DER).
pub(crate) fn is_signed(public: &[u8], text: &str, signature: &str) -> bool {
    let Some(signature) = unhex(signature) else { return false };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(text.as_bytes(), &signature).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
