//! Draws from a seed: the same on every machine.

/// A generator (SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators").
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// From 0 to `bound`, excluded.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound.max(1) as u64) as usize
    }

    /// From 0 to 1, neither included.
    fn fraction(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A factor of mean 1 whose logarithm is normal with deviation `sigma`: most are small and a few
    /// are large, as accounts are. 0 makes all alike.
    pub fn factor(&mut self, sigma: f64) -> f64 {
        let radius = (-2.0 * self.fraction().ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.fraction()).cos();
        (sigma * normal - sigma * sigma / 2.0).exp()
    }
}

/// Bits that look like nothing of those that they were made of.
pub fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_have_mean_one_and_a_long_tail() {
        let mut random = Random::new(1);
        let factors: Vec<f64> = (0..200_000).map(|_| random.factor(1.5)).collect();
        let mean = factors.iter().sum::<f64>() / factors.len() as f64;
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        assert!(factors.iter().any(|factor| *factor > 20.0));
        assert!((random.factor(0.0) - 1.0).abs() < 1e-12);
    }
}
