//! Shamir's scheme: each byte of the secret is the value at nought of a random polynomial; a share
//! is the polynomials' values at its index.

use super::field::{inverse, multiply};
use crate::{CryptoError, Random, SecretBytes, SecretVec};

/// Bytes of the secret and of a share.
const BYTES: usize = 32;

/// Splits `secret`; answers the shares with the indices 1, 2, … `shares`.
pub(super) fn split(
    secret: &SecretBytes<BYTES>,
    shares: u8,
    threshold: u8,
    random: &dyn Random,
) -> Result<Vec<SecretBytes<BYTES>>, CryptoError> {
    // Every coefficient is uniform over the whole field, the highest too: nought must be possible,
    // else threshold - 1 shares would rule one secret out.
    let rows = usize::from(threshold).saturating_sub(1);
    let mut coefficients = SecretVec::zero(rows * BYTES);
    random.fill(coefficients.expose_mut())?;
    let values = (1..=shares).map(|index| evaluate(secret, &coefficients, index));
    Ok(values.collect())
}

/// The polynomials at `index`, by Horner's rule, highest coefficient first.
fn evaluate(
    secret: &SecretBytes<BYTES>,
    coefficients: &SecretVec,
    index: u8,
) -> SecretBytes<BYTES> {
    let mut value = SecretBytes::zero();
    let rows = coefficients.expose().chunks_exact(BYTES);
    for row in rows.chain([secret.expose().as_slice()]) {
        for (byte, coefficient) in value.expose_mut().iter_mut().zip(row) {
            *byte = multiply(*byte, index) ^ coefficient;
        }
    }
    value
}

/// The secret of shares with different indices, as many as the threshold, by Lagrange's rule.
pub(super) fn combine(points: &[(u8, &SecretBytes<BYTES>)]) -> SecretBytes<BYTES> {
    let mut secret = SecretBytes::zero();
    for (index, value) in points {
        let others = points.iter().map(|(other, _)| *other).filter(|other| other != index);
        // Indices are no secret.
        let weight = others
            .fold(1, |weight, other| multiply(weight, multiply(other, inverse(index ^ other))));
        for (byte, share) in secret.expose_mut().iter_mut().zip(value.expose()) {
            *byte ^= multiply(weight, *share);
        }
    }
    secret
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded::SeededRandom;

    fn padded(hex: &str) -> SecretBytes<BYTES> {
        let mut bytes = [0; BYTES];
        let given = crate::hex::decode(hex);
        bytes[..given.len()].copy_from_slice(&given);
        SecretBytes::take(&mut bytes)
    }

    /// draft-mcgrew-tss-03, §9: the secret "test" and a nought, two of two.
    #[test]
    fn the_test_case_of_the_draft_comes_out() {
        let (first, second) = (padded("b9fa07e185"), padded("f5409b4511"));
        let secret = combine(&[(1, &first), (2, &second)]);
        assert_eq!(&secret.expose()[..5], b"test\0");
        // And the way there: the line through the secret with the slope that the draft drew.
        let slope = padded("b9fa07e185").expose().to_vec();
        let secret = padded("7465737400");
        let slope: Vec<u8> = slope.iter().zip(secret.expose()).map(|(a, b)| a ^ b).collect();
        let slope = SecretVec::from(slope);
        assert!(evaluate(&secret, &slope, 1) == first);
        assert!(evaluate(&secret, &slope, 2) == second);
    }

    #[test]
    fn any_threshold_of_shares_gives_the_secret_in_any_order() {
        let random = SeededRandom::new(3);
        let secret = SecretBytes::random(&random).unwrap();
        for (shares, threshold) in [(2, 2), (3, 2), (5, 3), (32, 32)] {
            let values = split(&secret, shares, threshold, &random).unwrap();
            let mut points: Vec<_> = (1..=shares).zip(&values).collect();
            for turn in 0..points.len() {
                points.rotate_left(1);
                let mut some = points[..usize::from(threshold)].to_vec();
                assert!(combine(&some) == secret, "{shares} {threshold} {turn}");
                some.reverse();
                assert!(combine(&some) == secret);
            }
        }
    }

    /// With one share too few every secret is possible: the missing share that leads to any wanted
    /// secret exists.
    #[test]
    fn one_share_too_few_rules_no_secret_out() {
        let random = SeededRandom::new(4);
        let secret = SecretBytes::random(&random).unwrap();
        let values = split(&secret, 3, 3, &random).unwrap();
        let mut reached = [false; 256];
        for byte in 0..=255u8 {
            let mut missing = [byte; BYTES];
            let missing = SecretBytes::take(&mut missing);
            let found = combine(&[(1, &values[0]), (2, &values[1]), (3, &missing)]);
            reached[usize::from(found.expose()[0])] = true;
        }
        assert!(reached.iter().all(|reached| *reached));
    }
}
