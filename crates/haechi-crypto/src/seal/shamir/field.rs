//! GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1, the field of AES (FIPS 197 §4) and of draft-mcgrew-tss-03.
//!
//! No branch and no table depends on a value: a cache or a clock tells nothing of a secret.
//! Addition is XOR.

/// x⁸ reduced: x⁴ + x³ + x + 1.
const REDUCED: u8 = 0x1b;

/// All ones if the lowest bit is set, else nought.
const fn mask(bit: u8) -> u8 {
    (bit & 1).wrapping_neg()
}

/// The product of two elements.
pub(super) const fn multiply(a: u8, b: u8) -> u8 {
    let (mut power, mut product, mut bit) = (a, 0, 0);
    while bit < 8 {
        product ^= power & mask(b >> bit);
        power = (power << 1) ^ (REDUCED & mask(power >> 7));
        bit += 1;
    }
    product
}

/// The inverse, a²⁵⁴; nought of nought.
pub(super) const fn inverse(a: u8) -> u8 {
    // 254 = 2 + 4 + … + 128.
    let (mut square, mut product, mut step) = (a, 1, 0);
    while step < 7 {
        square = multiply(square, square);
        product = multiply(product, square);
        step += 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_fips_197() {
        // §4.2: {57} • {83} = {c1}; §4.2.1: {57} • {13} = {fe}, and the powers on the way.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert_eq!(multiply(0x57, 0x13), 0xfe);
        for (factor, product) in [(0x02, 0xae), (0x04, 0x47), (0x08, 0x8e), (0x10, 0x07)] {
            assert_eq!(multiply(0x57, factor), product);
        }
    }

    #[test]
    fn it_is_a_field() {
        assert_eq!(inverse(0), 0);
        for a in 0..=255 {
            assert_eq!(multiply(a, 1), a);
            assert_eq!(multiply(a, 0), 0);
            for b in 0..=255 {
                assert_eq!(multiply(a, b), multiply(b, a));
                let c = a ^ 0x5a;
                assert_eq!(multiply(a, b ^ c), multiply(a, b) ^ multiply(a, c));
            }
        }
        for a in 1..=255 {
            assert_eq!(multiply(a, inverse(a)), 1);
        }
    }
}
