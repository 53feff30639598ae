//! Containers for secrets: wiped when dropped, compared in constant time, printable by nobody.
//!
//! Neither type implements `Debug`, `Display` or `Clone`, so a secret cannot reach a log line by a
//! derive and every copy is a deliberate one.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::{CryptoError, Random};

/// Exactly `N` secret bytes, on the heap so that moving the value leaves no copy behind.
pub struct SecretBytes<const N: usize>(Box<Zeroizing<[u8; N]>>);

impl<const N: usize> SecretBytes<N> {
    /// Takes the bytes over and wipes the array they came in.
    #[must_use]
    pub fn take(source: &mut [u8; N]) -> Self {
        let mut secret = Self::zero();
        secret.0.copy_from_slice(source);
        source.zeroize();
        secret
    }

    /// Copies `source`; `None` if it is not `N` bytes long.
    #[must_use]
    pub fn copy_from(source: &[u8]) -> Option<Self> {
        let mut secret = Self::zero();
        if source.len() != N {
            return None;
        }
        secret.0.copy_from_slice(source);
        Some(secret)
    }

    /// `N` fresh random bytes.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn random(random: &dyn Random) -> Result<Self, CryptoError> {
        let mut secret = Self::zero();
        random.fill(secret.0.as_mut_slice())?;
        Ok(secret)
    }

    /// The bytes themselves. The name is meant to stand out in review.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to write into.
    pub(crate) fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// All noughts, to be filled through [`Self::expose_mut`].
    pub(crate) fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; N])))
    }
}

impl<const N: usize> PartialEq for SecretBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl<const N: usize> Eq for SecretBytes<N> {}

/// A secret of any length: a passphrase, a plaintext, a private key.
#[derive(Default)]
pub struct SecretVec(Vec<u8>);

impl Drop for SecretVec {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites `bytes` with noughts, as fast as memory is written: `zeroize` goes byte by byte, a
/// third of a microsecond for what a request holds.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // The optimiser must not take the write for useless: it cannot know what `black_box` reads.
    std::hint::black_box(bytes);
}

impl SecretVec {
    /// `length` zero bytes, to be filled through [`Self::expose_mut`].
    #[must_use]
    pub fn zero(length: usize) -> Self {
        Self(vec![0; length])
    }

    /// Copies `source`.
    #[must_use]
    pub fn copy_from(source: &[u8]) -> Self {
        Self(source.to_vec())
    }

    /// Copies `parts`, one after the other.
    pub(crate) fn join(parts: &[&[u8]]) -> Self {
        // `concat` allocates once, so nothing is left behind by growing.
        Self(parts.concat())
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to write into. The length is fixed: growing would leave an unwiped copy.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Gives the buffer away, for a caller whose own type wipes it.
    #[must_use]
    pub fn into_inner(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for SecretVec {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl PartialEq for SecretVec {
    /// Constant time in the content; the length is not secret.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SecretVec {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_bytes_wipes_the_source() {
        let mut source = [7u8; 32];
        let secret = SecretBytes::take(&mut source);
        assert_eq!(source, [0; 32]);
        assert_eq!(secret.expose(), &[7; 32]);
    }

    #[test]
    fn a_copy_of_the_wrong_length_is_refused() {
        assert!(SecretBytes::<32>::copy_from(&[0; 31]).is_none());
        assert!(SecretBytes::<32>::copy_from(&[0; 33]).is_none());
        assert!(SecretBytes::<32>::copy_from(&[0; 32]).is_some());
    }

    #[test]
    fn secrets_compare_by_content_and_length() {
        let of = |bytes: &[u8]| SecretVec::copy_from(bytes);
        assert!(of(b"abc") == of(b"abc"));
        assert!(of(b"abc") != of(b"abd"));
        assert!(of(b"abc") != of(b"ab"));
        assert!(SecretBytes::take(&mut [1; 4]) != SecretBytes::take(&mut [2; 4]));
    }
}
