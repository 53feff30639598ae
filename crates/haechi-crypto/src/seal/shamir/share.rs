//! A share as people handle it.
//!
//! ```text
//! haechi1-XXXXXXXX-XXXXXXXX-…            ten groups of base32 (Crockford's: no I, L, O, U)
//! 8 B installation ‖ u32 set ‖ 1 B index ‖ 32 B value ‖ 5 B checksum
//! ```
//!
//! The checksum is the beginning of a SHA-256 over the rest; it finds what was mistyped. Reading
//! minds neither case nor hyphens nor blanks, and takes I and L for 1, O for 0.

use aws_lc_rs::digest;

use super::InstallationId;
use crate::seal::SealError;
use crate::{SecretBytes, SecretVec};

const PREFIX: &[u8] = b"haechi1-";
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: usize = 10;
/// Bytes of a group of eight characters.
const GROUP_BYTES: usize = 5;
const BYTES: usize = GROUPS * GROUP_BYTES;
const CHECKSUM_BYTES: usize = 5;
const LABEL: &[u8] = b"haechi/seal/shamir/v1/checksum";

/// One share of a split key.
pub struct Share {
    pub(super) installation: InstallationId,
    pub(super) set: u32,
    /// From 1: where the polynomials were evaluated.
    pub(super) index: u8,
    pub(super) value: SecretBytes<32>,
}

fn checksum(rest: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(LABEL);
    context.update(rest);
    let mut sum = [0; CHECKSUM_BYTES];
    for (to, from) in sum.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    sum
}

impl Share {
    /// As it is printed.
    pub(super) fn text(&self) -> SecretVec {
        let mut bytes = SecretVec::join(&[
            &self.installation.0,
            &self.set.to_be_bytes(),
            &[self.index],
            self.value.expose(),
            &[0; CHECKSUM_BYTES],
        ]);
        let (rest, sum) = bytes.expose_mut().split_at_mut(BYTES - CHECKSUM_BYTES);
        sum.copy_from_slice(&checksum(rest));
        let mut text = SecretVec::zero(PREFIX.len() + GROUPS * 9 - 1);
        let (prefix, groups) = text.expose_mut().split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        for (group, bytes) in groups.chunks_mut(9).zip(bytes.expose().chunks_exact(GROUP_BYTES)) {
            let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
            for (place, to) in group.iter_mut().enumerate() {
                let digit = number.checked_shr(35 - 5 * u32::try_from(place.min(7)).unwrap_or(7));
                let digit = usize::try_from(digit.unwrap_or(0) & 31).unwrap_or(0);
                let digit = ALPHABET.get(digit).copied().unwrap_or(b'?');
                *to = if place == 8 { b'-' } else { digit };
            }
        }
        text
    }

    /// Reads what was printed.
    pub(super) fn parse(text: &[u8]) -> Result<Self, SealError> {
        let text = text.trim_ascii();
        let (prefix, rest) = text.split_at_checked(PREFIX.len()).ok_or(SealError::NoShare)?;
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return Err(SealError::NoShare);
        }
        let mut bytes = SecretVec::zero(BYTES);
        let mut digits = rest.iter().filter(|c| !matches!(c, b'-' | b' ' | b'\t'));
        for group in bytes.expose_mut().chunks_exact_mut(GROUP_BYTES) {
            let mut number = 0u64;
            for _ in 0..8 {
                let digit =
                    digits.next().and_then(|c| digit(*c)).ok_or(SealError::ShareMistyped)?;
                number = number << 5 | u64::from(digit);
            }
            for (to, from) in group.iter_mut().zip(number.to_be_bytes().into_iter().skip(3)) {
                *to = from;
            }
        }
        if digits.next().is_some() {
            return Err(SealError::ShareMistyped);
        }
        Self::decode(bytes.expose()).ok_or(SealError::ShareMistyped)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (rest, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if checksum(rest) != *sum {
            return None;
        }
        let (installation, rest) = rest.split_first_chunk()?;
        let (set, rest) = rest.split_first_chunk()?;
        let (index, value) = rest.split_first()?;
        Some(Self {
            installation: InstallationId(*installation),
            set: u32::from_be_bytes(*set),
            index: *index,
            value: SecretBytes::copy_from(value)?,
        })
    }
}

fn digit(character: u8) -> Option<u8> {
    let character = match character.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        other => other,
    };
    let place = ALPHABET.iter().position(|known| *known == character)?;
    u8::try_from(place).ok()
}
