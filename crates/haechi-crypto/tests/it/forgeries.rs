//! Forged blobs: what is made of genuine ones by changing, cutting, lengthening and joining them.
//! None opens, none panics.
//!
//! 20,000 in each run; `HAECHI_FORGERIES=1000000 cargo test --release …` for as many as wanted.
//! docs/ciphertext.md keeps the record.

use haechi_crypto::ciphertext::{EncryptionContext, encrypt};
use haechi_crypto::{
    Blob, BlobKind, CryptoError, MaterialHandle, Random, SecretBytes, SymmetricMaterial,
};

/// xorshift64*: the same forgeries in every run.
struct Dice(std::sync::Mutex<u64>);

impl Dice {
    fn roll(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(bound).unwrap()).unwrap()
    }
}

impl Random for Dice {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill_with(|| self.roll().to_be_bytes()[0]);
        Ok(())
    }
}

/// A genuine blob and what opens it.
struct Genuine {
    bytes: Vec<u8>,
    material: SymmetricMaterial,
    context: EncryptionContext,
    plaintext: Vec<u8>,
}

fn genuine(number: u8, dice: &Dice) -> Genuine {
    let material = SymmetricMaterial::new(SecretBytes::take(&mut [number; 32]));
    let handle = MaterialHandle::from_bytes([number ^ 0xff; 32]);
    let mut plaintext = vec![0; usize::from(number) * 7 % 100];
    dice.fill(&mut plaintext).unwrap();
    let pairs = (0..number % 3).map(|pair| (format!("key{pair}"), format!("value{number}")));
    let context: EncryptionContext = pairs.collect();
    let kind = if number.is_multiple_of(2) { BlobKind::Encrypt } else { BlobKind::GenerateDataKey };
    let bytes = encrypt(kind, &material, &handle, &context, &plaintext, dice).unwrap();
    Genuine { bytes, material, context, plaintext }
}

/// Offsets at which fields begin and end.
const FIELDS: [usize; 7] = [0, 5, 37, 38, 70, 102, 114];

/// Something that is not `own`, though much of it is.
fn forgery(own: &Genuine, other: &Genuine, dice: &Dice) -> Vec<u8> {
    let mut bytes = own.bytes.clone();
    match dice.below(7) {
        0 => {
            let bit = dice.below(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        1 => {
            for _ in 0..=dice.below(8) {
                let place = dice.below(bytes.len());
                bytes[place] = dice.roll().to_be_bytes()[1];
            }
        }
        2 => bytes.truncate(dice.below(bytes.len())),
        3 => {
            let mut more = vec![0; 1 + dice.below(40)];
            dice.fill(&mut more).unwrap();
            bytes.extend(more);
        }
        // A field of another blob, or all from there on.
        4 => {
            let field = dice.below(6);
            let (from, to) = (FIELDS[field], FIELDS[field + 1]);
            bytes[from..to].copy_from_slice(&other.bytes[from..to]);
        }
        5 => {
            let from = FIELDS[dice.below(7)];
            bytes.truncate(from);
            bytes.extend_from_slice(&other.bytes[from..]);
        }
        _ => {
            // Genuine up to the commitment, noise behind it.
            let from = FIELDS[5];
            dice.fill(&mut bytes[from..]).unwrap();
        }
    }
    bytes
}

#[test]
fn no_forged_blob_opens_and_none_panics() {
    let count = std::env::var("HAECHI_FORGERIES").map_or(20_000, |count| count.parse().unwrap());
    let dice = Dice(std::sync::Mutex::new(0x9e37_79b9_7f4a_7c15));
    let blobs: Vec<Genuine> = (1..=24).map(|number| genuine(number, &dice)).collect();
    for own in &blobs {
        let opened = Blob::parse(&own.bytes).unwrap().decrypt(&own.material, &own.context).unwrap();
        assert_eq!(opened.expose(), own.plaintext, "the genuine ones do open");
    }
    let (mut parsed, mut tried) = (0, 0);
    while tried < count {
        let (own, other) = (&blobs[dice.below(24)], &blobs[dice.below(24)]);
        let bytes = forgery(own, other, &dice);
        if bytes == own.bytes || bytes == other.bytes {
            continue;
        }
        tried += 1;
        let Ok(blob) = Blob::parse(&bytes) else { continue };
        parsed += 1;
        for (who, material) in [(own, &own.material), (other, &other.material)] {
            assert!(blob.decrypt(material, &who.context).is_err(), "{bytes:02x?}");
        }
    }
    println!("{tried} forgeries, {parsed} of them well formed: none opened");
    assert!(parsed > count / 4, "most are to reach the cryptography");
}

#[test]
fn no_blob_opens_for_another_key_or_context() {
    let dice = Dice(std::sync::Mutex::new(7));
    let blobs: Vec<Genuine> = (1..=24).map(|number| genuine(number, &dice)).collect();
    for (place, own) in blobs.iter().enumerate() {
        let blob = Blob::parse(&own.bytes).unwrap();
        for (_, other) in blobs.iter().enumerate().filter(|(other, _)| *other != place) {
            assert!(blob.decrypt(&other.material, &own.context).is_err());
            if other.context != own.context {
                assert!(blob.decrypt(&own.material, &other.context).is_err());
            }
        }
    }
}
