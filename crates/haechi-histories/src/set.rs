//! A set that only grows: what was acknowledged is there at the end, and nothing that nobody added.

use std::collections::BTreeSet;

/// An element that somebody tried to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The store said that it is there.
    Acknowledged(u64),
    /// No answer: it may be there.
    Unanswered(u64),
    /// The store said that it is not.
    Refused(u64),
}

/// What is wrong with the set at the end: acknowledged elements that are `missing`, and `foreign`
/// ones that were refused or that nobody added. Both are empty of a store that keeps its promises.
#[must_use]
pub fn missing_or_foreign(added: &[Added], found: &BTreeSet<u64>) -> (Vec<u64>, Vec<u64>) {
    let (mut expected, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    for element in added {
        match element {
            Added::Acknowledged(element) => {
                expected.insert(*element);
                allowed.insert(*element);
            }
            Added::Unanswered(element) => {
                allowed.insert(*element);
            }
            Added::Refused(_) => {}
        }
    }
    let missing = expected.difference(found).copied().collect();
    let foreign = found.difference(&allowed).copied().collect();
    (missing, foreign)
}

#[cfg(test)]
mod tests {
    use super::{Added, missing_or_foreign};

    #[test]
    fn what_was_acknowledged_must_be_there_and_what_was_refused_must_not() {
        let added = [
            Added::Acknowledged(1),
            Added::Acknowledged(2),
            Added::Unanswered(3),
            Added::Refused(4),
        ];
        let judged = |found: &[u64]| missing_or_foreign(&added, &found.iter().copied().collect());
        assert_eq!(judged(&[1, 2]), (vec![], vec![]));
        assert_eq!(judged(&[1, 2, 3]), (vec![], vec![]));
        assert_eq!(judged(&[1, 4, 5]), (vec![2], vec![4, 5]));
    }
}
