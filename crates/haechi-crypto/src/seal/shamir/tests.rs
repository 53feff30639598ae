//! Shares from their making to the root key, and every way in which they can be wrong.

use super::*;
use crate::random::seeded::SeededRandom;

fn made(shares: u8, threshold: u8) -> (ShamirSeal, RootKey, Vec<SecretVec>) {
    let random = SeededRandom::new(u64::from(shares) * 100 + u64::from(threshold));
    let root = RootKey::generate(&random).unwrap();
    let (seal, shares) = ShamirSeal::create(shares, threshold, None, &root, &random).unwrap();
    (seal, root, shares)
}

fn refusal<T>(result: Result<T, SealError>) -> SealError {
    result.err().expect("a refusal")
}

fn text(share: &SecretVec) -> String {
    String::from_utf8(share.expose().to_vec()).unwrap()
}

fn typed(text: &str) -> SecretVec {
    SecretVec::copy_from(text.as_bytes())
}

#[test]
fn enough_shares_in_any_order_give_the_root_key() {
    let (seal, root, shares) = made(5, 3);
    for order in [[0, 1, 2], [4, 2, 0], [3, 1, 4]] {
        let mut quorum = Quorum::new(&seal);
        for place in order {
            let refused = refusal(quorum.root());
            assert!(matches!(refused, SealError::SharesMissing { threshold: 3, .. }));
            quorum.add(&shares[place]).unwrap();
        }
        assert_eq!(quorum.root().unwrap().expose(), root.expose());
    }
}

#[test]
fn more_shares_than_needed_do_no_harm() {
    let (seal, root, shares) = made(4, 2);
    let mut quorum = Quorum::new(&seal);
    for share in &shares {
        quorum.add(share).unwrap();
    }
    assert_eq!(quorum.root().unwrap().expose(), root.expose());
    quorum.forget();
    assert_eq!(quorum.given(), 0);
    assert!(quorum.root().is_err());
}

#[test]
fn a_share_is_read_as_people_type_it() {
    let (seal, _, shares) = made(2, 2);
    let printed = text(&shares[0]);
    assert_eq!(printed.len(), 97);
    assert!(printed.starts_with("haechi1-"), "{printed}");
    let groups = printed.strip_prefix("haechi1-").unwrap();
    let typings = [
        printed.clone(),
        printed.to_lowercase(),
        format!("  {printed}\n"),
        format!("HAECHI1-{}", groups.replace('-', "")),
        format!("haechi1-{}", groups.replace('-', " ")),
        format!("haechi1-{}", groups.replace('1', "l").replace('0', "o")),
    ];
    for typing in typings {
        Quorum::new(&seal).add(&typed(&typing)).unwrap();
    }
}

#[test]
fn whatever_is_mistyped_is_found() {
    let (seal, _, shares) = made(2, 2);
    let printed = text(&shares[1]);
    let mut quorum = Quorum::new(&seal);
    for place in 8..printed.len() {
        let mut typing = printed.clone().into_bytes();
        typing[place] = match typing[place] {
            b'-' => b'7',
            b'7' => b'8',
            _ => b'7',
        };
        let refused = refusal(quorum.add(&SecretVec::from(typing)));
        assert!(matches!(refused, SealError::ShareMistyped), "{place}: {refused}");
    }
    for short in [printed.len() - 1, 50, 9] {
        assert!(matches!(refusal(quorum.add(&typed(&printed[..short]))), SealError::ShareMistyped));
    }
    for other in ["", "haechi", "haechi2-0000", "AKIAIOSFODNN7EXAMPLE"] {
        assert!(matches!(refusal(quorum.add(&typed(other))), SealError::NoShare), "{other}");
    }
    assert_eq!(quorum.given(), 0);
}

#[test]
fn a_share_that_is_given_twice_counts_once() {
    let (seal, _, shares) = made(3, 2);
    let mut quorum = Quorum::new(&seal);
    quorum.add(&shares[2]).unwrap();
    let refused = refusal(quorum.add(&shares[2]));
    assert!(matches!(refused, SealError::ShareRepeated { index: 3 }), "{refused}");
    assert_eq!(quorum.given(), 1);
}

#[test]
fn a_share_of_another_installation_or_an_older_set_is_named_as_such() {
    let (seal, root, old) = made(3, 2);
    let (_, _, foreign) = made(4, 2);
    let refused = refusal(Quorum::new(&seal).add(&foreign[0]));
    assert!(matches!(refused, SealError::ShareOfAnotherInstallation { .. }), "{refused}");
    let random = SeededRandom::new(9);
    let (next, shares) = ShamirSeal::create(3, 2, Some(&seal), &root, &random).unwrap();
    assert_eq!(next.installation(), seal.installation());
    let mut quorum = Quorum::new(&next);
    quorum.add(&shares[0]).unwrap();
    let refused = refusal(quorum.add(&old[1]));
    let expected = SealError::ShareOfAnotherSet { found: 1, expected: 2 };
    assert_eq!(refused.to_string(), expected.to_string());
}

/// A share that was forged with a right checksum, to spoil the others.
#[test]
fn a_forged_share_is_refused_by_itself() {
    let (seal, root, shares) = made(3, 2);
    let mut forged = Share::parse(shares[0].expose()).unwrap();
    forged.value = SecretBytes::take(&mut [7; 32]);
    let mut quorum = Quorum::new(&seal);
    let refused = refusal(quorum.add(&forged.text()));
    assert!(matches!(refused, SealError::WrongShare { index: 1 }), "{refused}");
    forged.index = 9;
    assert!(matches!(refusal(quorum.add(&forged.text())), SealError::WrongShare { index: 9 }));
    forged.index = 0;
    assert!(matches!(refusal(quorum.add(&forged.text())), SealError::WrongShare { index: 0 }));
    for share in &shares[1..] {
        quorum.add(share).unwrap();
    }
    assert_eq!(quorum.root().unwrap().expose(), root.expose());
}

#[test]
fn numbers_that_share_nothing_are_refused() {
    let random = SeededRandom::new(1);
    let root = RootKey::generate(&random).unwrap();
    for (shares, threshold) in [(1, 1), (5, 1), (2, 3), (33, 2), (0, 0)] {
        let refused = ShamirSeal::create(shares, threshold, None, &root, &random);
        assert!(matches!(refused.err().unwrap(), SealError::SharesOutOfRange { .. }));
    }
}

#[test]
fn a_changed_seal_is_not_opened_by_its_own_shares() {
    let (mut seal, _, shares) = made(3, 3);
    seal.threshold = 2;
    let mut quorum = Quorum::new(&seal);
    quorum.add(&shares[0]).unwrap();
    quorum.add(&shares[1]).unwrap();
    assert!(matches!(refusal(quorum.root()), SealError::WrongRootKey));
}
