//! Randomness as a parameter.
//!
//! Everything here that needs random bytes takes `&dyn Random`, so that a test can seed it and a
//! reader can see where randomness enters.

use std::cell::RefCell;

use aws_lc_rs::rand::SecureRandom;

use crate::CryptoError;

/// A source of cryptographically strong random bytes.
pub trait Random: Send + Sync {
    /// Fills `out` entirely.
    ///
    /// # Errors
    /// When the source cannot deliver; `out` is then unspecified and must not be used.
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError>;

    /// Fills `out` with what is to be a name: nobody can guess it, but it may have been drawn some
    /// time ago, so that two machines that were copied from one (a snapshot) may draw the same.
    /// Never for keys, salts, IVs or tokens.
    ///
    /// # Errors
    /// As [`Self::fill`].
    fn fill_name(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        self.fill(out)
    }
}

/// Bytes that names are drawn from at once: each draw costs a full DRBG update, some 0.4 µs.
const NAMES_BYTES: usize = 512;

/// What is left to make names of; what was used is wiped.
struct Names {
    bytes: [u8; NAMES_BYTES],
    left: usize,
}

thread_local! {
    static NAMES: RefCell<Names> = const { RefCell::new(Names { bytes: [0; NAMES_BYTES], left: 0 }) };
}

/// AWS-LC's CTR-DRBG, reseeded from the kernel and on fork.
#[derive(Default)]
pub struct SystemRandom(aws_lc_rs::rand::SystemRandom);

impl SystemRandom {
    /// A handle on the process-wide generator; costs nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        self.0.fill(out).map_err(|_| CryptoError::new("draw random bytes"))
    }

    fn fill_name(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        if out.len() > NAMES_BYTES {
            return self.fill(out);
        }
        NAMES.with_borrow_mut(|names| {
            if names.left < out.len() {
                names.left = 0;
                self.fill(&mut names.bytes)?;
                names.left = NAMES_BYTES;
            }
            let start = names.left - out.len();
            for (to, from) in out.iter_mut().zip(names.bytes.iter_mut().skip(start)) {
                *to = std::mem::take(from);
            }
            names.left = start;
            Ok(())
        })
    }
}

#[cfg(test)]
pub(crate) mod seeded {
    //! A deterministic source for tests: HMAC-SHA-256(seed, counter), block after block.

    use std::sync::atomic::{AtomicU64, Ordering};

    use aws_lc_rs::hmac;

    use super::Random;
    use crate::CryptoError;

    pub(crate) struct SeededRandom {
        key: hmac::Key,
        counter: AtomicU64,
    }

    impl SeededRandom {
        pub(crate) fn new(seed: u64) -> Self {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
            Self { key, counter: AtomicU64::new(0) }
        }
    }

    impl Random for SeededRandom {
        fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
            for chunk in out.chunks_mut(32) {
                let counter = self.counter.fetch_add(1, Ordering::Relaxed);
                let block = hmac::sign(&self.key, &counter.to_be_bytes());
                chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_randomness_fills_the_whole_buffer_and_does_not_repeat() {
        let (mut a, mut b) = ([0u8; 64], [0u8; 64]);
        SystemRandom::new().fill(&mut a).unwrap();
        SystemRandom::new().fill(&mut b).unwrap();
        assert_ne!(a, b);
        assert!(a[32..].iter().any(|byte| *byte != 0));
    }

    #[test]
    fn names_are_of_any_length_and_do_not_repeat() {
        let random = SystemRandom::new();
        let mut seen = std::collections::BTreeSet::new();
        for length in [16, 16, 500, 16, 512, 513, 16].into_iter().chain([16; 100]) {
            let mut name = vec![0; length];
            random.fill_name(&mut name).unwrap();
            assert!(seen.insert(name[..16].to_vec()));
            assert!(name[length - 8..].iter().any(|byte| *byte != 0));
        }
    }

    #[test]
    fn seeded_randomness_repeats_itself_and_differs_by_seed() {
        let draw = |seed| {
            let mut out = [0u8; 40];
            seeded::SeededRandom::new(seed).fill(&mut out).unwrap();
            out
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
