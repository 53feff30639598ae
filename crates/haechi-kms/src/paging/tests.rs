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
            let (shown, next) = page("names", names.iter(), marker.as_deref(), limit).ok().unwrap();
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

#[test]
fn a_marker_of_another_listing_is_refused() {
    let names = ["a".to_owned(), "b".to_owned()];
    let (_, marker) = page("tags of one", names.iter(), None, 1).ok().unwrap();
    let marker = marker.as_deref();
    assert!(page("tags of one", names.iter(), marker, 1).is_ok());
    for scope in ["tags of another", "tags of on", "tags of one\0", ""] {
        assert!(page(scope, names.iter(), marker, 1).is_err(), "{scope}");
        assert!(page_after(scope, names.iter(), |name| name, marker, 1).is_err(), "{scope}");
        assert!(cursor(scope, marker).is_err(), "{scope}");
    }
}
