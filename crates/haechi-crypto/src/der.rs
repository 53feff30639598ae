//! The little DER (X.690 §10) that this crate reads and writes itself: the frames around keys.
//!
//! aws-lc-rs parses keys, but its PKCS#8 parser ignores bytes after the structure and it has no
//! encoding of ML-KEM keys. So the frames are checked here, strictly, and what is inside a frame
//! goes to aws-lc-rs. Total on any input: nothing here panics or recurses.

/// `SEQUENCE`.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// `[0] IMPLICIT`, primitive.
const CONTEXT_0: u8 = 0x80;

/// Splits `tag ‖ length ‖ content` off the front; `None` unless tag and minimal length fit.
fn take(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = input.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&[length], rest) = rest.split_first_chunk::<1>()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let minimal = match first {
        0x81 => length > 0x7f,
        0x82 => length > 0xff,
        _ => true,
    };
    if minimal { rest.split_at_checked(length) } else { None }
}

/// The content of the one element with this tag that `input` consists of.
fn only(input: &[u8], tag: u8) -> Option<&[u8]> {
    take(input, tag).and_then(|(content, rest)| rest.is_empty().then_some(content))
}

/// A `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7) taken apart.
pub(crate) struct PublicKeyInfo<'a> {
    /// Content of the algorithm's object identifier.
    pub(crate) algorithm: &'a [u8],
    /// What follows the identifier: parameters, or nothing.
    pub(crate) parameters: &'a [u8],
    /// The key, without the bit string's count of unused bits (none).
    pub(crate) key: &'a [u8],
}

impl<'a> PublicKeyInfo<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        let (identifier, rest) = take(only(der, SEQUENCE)?, SEQUENCE)?;
        let (algorithm, parameters) = take(identifier, OBJECT_IDENTIFIER)?;
        let (unused_bits, key) = only(rest, BIT_STRING)?.split_first()?;
        (*unused_bits == 0).then_some(Self { algorithm, parameters, key })
    }

    /// The encoding of a key whose algorithm has no parameters.
    pub(crate) fn encode(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
        let bits = [&[0], key].concat();
        let parts = [element(SEQUENCE, &element(OBJECT_IDENTIFIER, algorithm)), {
            element(BIT_STRING, &bits)
        }];
        element(SEQUENCE, &parts.concat())
    }
}

/// A `PrivateKeyInfo` (RFC 5958) taken apart, as far as this crate looks.
pub(crate) struct PrivateKeyInfo<'a> {
    /// Content of the algorithm's object identifier.
    pub(crate) algorithm: &'a [u8],
    /// Content of the `privateKey` octet string.
    pub(crate) key: &'a [u8],
}

impl<'a> PrivateKeyInfo<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        let (version, rest) = take(only(der, SEQUENCE)?, INTEGER)?;
        let (identifier, rest) = take(rest, SEQUENCE)?;
        let (algorithm, _) = take(identifier, OBJECT_IDENTIFIER)?;
        // Attributes and, in version 2, the public key may follow.
        let (key, _) = take(rest, OCTET_STRING)?;
        matches!(version, [0 | 1]).then_some(Self { algorithm, key })
    }

    /// The frame before a seed in the form `[0] IMPLICIT OCTET STRING`, for an algorithm without
    /// parameters. The whole encoding is this, then the seed: the secret is not copied here.
    pub(crate) fn seed_frame(algorithm: &[u8], seed_bytes: usize) -> Vec<u8> {
        let identifier = element(SEQUENCE, &element(OBJECT_IDENTIFIER, algorithm));
        let seed = header(CONTEXT_0, seed_bytes);
        let key = [header(OCTET_STRING, seed.len() + seed_bytes), seed].concat();
        let body = [&[INTEGER, 1, 0], identifier.as_slice(), &key].concat();
        [header(SEQUENCE, body.len() + seed_bytes), body].concat()
    }
}

/// The numbers of an `RSAPrivateKey` (RFC 8017 §A.1.2), big-endian: n, e, d, p, q, d mod p−1,
/// d mod q−1, q⁻¹ mod p.
pub(crate) fn rsa_numbers(key: &[u8]) -> Option<[&[u8]; 8]> {
    let (_version, mut rest) = take(only(key, SEQUENCE)?, INTEGER)?;
    let mut numbers: [&[u8]; 8] = [&[]; 8];
    for number in &mut numbers {
        (*number, rest) = take(rest, INTEGER)?;
    }
    rest.is_empty().then_some(numbers)
}

/// The private key of ML-DSA (RFC 9881 §6) or ML-KEM (RFC 9935 §6): a seed, with or without its
/// expansion. An expansion alone has no seed and is not taken.
pub(crate) struct SeedKey<'a> {
    pub(crate) seed: &'a [u8],
    pub(crate) expanded: Option<&'a [u8]>,
}

impl<'a> SeedKey<'a> {
    pub(crate) fn parse(key: &'a [u8]) -> Option<Self> {
        if let Some(seed) = only(key, CONTEXT_0) {
            return Some(Self { seed, expanded: None });
        }
        let (seed, rest) = take(only(key, SEQUENCE)?, OCTET_STRING)?;
        Some(Self { seed, expanded: Some(only(rest, OCTET_STRING)?) })
    }
}

/// One element: tag, length, content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = header(tag, content.len());
    out.extend_from_slice(content);
    out
}

/// Tag and length. Lengths here are far below 64 KiB; more would saturate, and parse nowhere.
fn header(tag: u8, length: usize) -> Vec<u8> {
    match u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes() {
        [0, low @ 0..=0x7f] => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

    #[test]
    fn what_is_encoded_is_parsed_and_framed_as_the_standard_shows() {
        let der = PublicKeyInfo::encode(ED25519, &[7; 32]);
        assert_eq!(der[..12], [0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0]);
        let info = PublicKeyInfo::parse(&der).unwrap();
        assert_eq!((info.algorithm, info.parameters, info.key), (ED25519, &[][..], &[7; 32][..]));
    }

    #[test]
    fn lengths_of_one_two_and_three_bytes_are_minimal() {
        for (length, bytes) in [(0x7f, 2), (0x80, 3), (0xff, 3), (0x100, 4), (0xffff, 4)] {
            let der = element(OCTET_STRING, &vec![1; length]);
            assert_eq!(der.len(), length + bytes);
            assert_eq!(only(&der, OCTET_STRING).unwrap().len(), length);
        }
        for der in
            [&[4, 0x81, 1, 9][..], &[4, 0x82, 0, 1, 9], &[4, 0x80, 9, 0, 0], &[4, 2, 9], &[4]]
        {
            assert!(take(der, OCTET_STRING).is_none(), "{der:?}");
        }
    }

    #[test]
    fn bytes_after_the_structure_are_refused() {
        let mut der = PublicKeyInfo::encode(ED25519, &[7; 32]);
        der.push(0);
        assert!(PublicKeyInfo::parse(&der).is_none());
        let mut private = PrivateKeyInfo::seed_frame(ED25519, 32);
        private.extend_from_slice(&[5; 32]);
        let parsed = PrivateKeyInfo::parse(&private).unwrap();
        assert_eq!(SeedKey::parse(parsed.key).unwrap().seed, [5; 32]);
        private.push(0);
        assert!(PrivateKeyInfo::parse(&private).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (PublicKeyInfo::parse(&bytes), PrivateKeyInfo::parse(&bytes), SeedKey::parse(&bytes));
        }
    }
}
