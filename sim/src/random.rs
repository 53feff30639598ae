//! Draws from a seed, in streams that do not disturb each other: what one operation draws does not
//! depend on how often others drew before it.

use std::sync::Mutex;

use haechi_crypto::{CryptoError, Random};

/// SplitMix64's stirring.
pub fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Draws(u64);

impl Draws {
    /// From a seed and the name of what draws.
    pub fn new(seed: u64, name: &[u8]) -> Draws {
        let named = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Draws(mixed(seed ^ mixed(named)))
    }

    /// From 0 to `bound`, excluded.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0) % bound.max(1)
    }

    /// One time in `of`.
    pub fn hit(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// What a node draws its keys and ids from: no secret here.
pub struct Seeded(Mutex<Draws>);

impl Seeded {
    /// From the draws of a node.
    pub fn new(draws: Draws) -> Seeded {
        Seeded(Mutex::new(draws))
    }
}

impl Random for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        let mut draws = self.0.lock().unwrap();
        for byte in out {
            *byte = u8::try_from(draws.below(256)).unwrap();
        }
        Ok(())
    }
}
