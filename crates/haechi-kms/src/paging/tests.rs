use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn pages_of_any_size_show_every_name_once_and_in_order(
        names in proptest::collection::btree_set(".{1,8}", 0..30),
        limit in 1_u32..12,
    ) {
        let mut seen: Vec<String> = Vec::new();
        let mut marker = None;
        loop {
            let (shown, next) = page(names.iter(), marker.as_deref(), limit).ok().unwrap();
            prop_assert!(shown.len() <= usize::try_from(limit).unwrap());
            prop_assert!(next.is_none() || !shown.is_empty());
            seen.extend(shown.into_iter().cloned());
            marker = next;
            if marker.is_none() {
                break;
            }
        }
        let all: Vec<String> = names.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        prop_assert_eq!(seen, all);
    }
}
