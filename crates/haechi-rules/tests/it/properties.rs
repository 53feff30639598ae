//! What holds for any pattern and any event.

use haechi_rules::Pattern;
use proptest::prelude::*;
use serde_json::{Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ab*\\\\]{0,3}".prop_map(Value::from),
        (-3..4_i32).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
}

fn event() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![scalar(), prop::collection::vec(scalar(), 0..3).prop_map(Value::from)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map("[xyz]", inner, 0..3)
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
    })
}

fn condition() -> impl Strategy<Value = Value> {
    prop_oneof![
        scalar(),
        scalar().prop_map(|text| json!({"prefix": text})),
        scalar().prop_map(|text| json!({"wildcard": text})),
        scalar().prop_map(|value| json!({"anything-but": [value]})),
        any::<bool>().prop_map(|wanted| json!({"exists": wanted})),
        (-3..4_i32).prop_map(|number| json!({"numeric": [">", number]})),
    ]
}

fn pattern() -> impl Strategy<Value = Value> {
    let leaf = prop::collection::vec(condition(), 1..3).prop_map(Value::from);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map("[xyz]", inner, 1..3)
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
    })
}

proptest! {
    #[test]
    fn no_text_and_no_event_fails_the_matcher(text in any::<String>(), event in event()) {
        if let Ok(pattern) = Pattern::parse(&text) {
            pattern.matches(&event);
        }
    }

    #[test]
    fn another_field_never_wants_more(one in pattern(), other in pattern(), event in event()) {
        let alone = json!({"x": one});
        let both = json!({"x": one, "y": other});
        if let (Ok(alone), Ok(both)) = (Pattern::from_json(&alone), Pattern::from_json(&both)) {
            prop_assert!(!both.matches(&event) || alone.matches(&event));
        }
    }

    #[test]
    fn alternatives_are_wanted_if_one_of_them_is(one in pattern(), other in pattern(), event in event()) {
        let (first, second) = (json!({"x": one}), json!({"y": other}));
        let either = json!({"$or": [first, second]});
        if let (Ok(first), Ok(second)) = (Pattern::from_json(&first), Pattern::from_json(&second)) {
            let either = Pattern::from_json(&either).unwrap();
            prop_assert_eq!(either.matches(&event), first.matches(&event) || second.matches(&event));
        }
    }

    #[test]
    fn a_string_is_found_by_its_own_prefix_suffix_and_wildcard(text in "[a-c*]{0,6}", cut in 0..7_usize) {
        let cut = cut.min(text.len());
        let (head, tail) = text.split_at(cut);
        let escaped = |part: &str| part.replace('*', "\\*");
        for condition in [
            json!({"prefix": head}),
            json!({"suffix": tail}),
            json!({"wildcard": format!("{}*{}", escaped(head), escaped(tail))}),
        ] {
            let (pattern, event) = (json!({"x": [condition]}), json!({"x": text}));
            prop_assert!(Pattern::from_json(&pattern).unwrap().matches(&event));
        }
    }
}
