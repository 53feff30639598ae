//! Which events a pattern wants. Sources: EventBridge user guide, "Creating event patterns",
//! "Comparison operators", "Event pattern arrays".

use haechi_rules::Pattern;
use serde_json::{Value, json};

#[track_caller]
fn wants(pattern: &Value, event: &Value) -> bool {
    Pattern::from_json(pattern).unwrap().matches(event)
}

/// Each line: a condition on `x`, a value of `x` (null event for none) and whether it is wanted.
#[track_caller]
fn table(rows: &[(Value, Value, bool)]) {
    for (condition, value, expected) in rows {
        let (pattern, event) = (json!({"x": [condition]}), json!({"x": value}));
        assert_eq!(wants(&pattern, &event), *expected, "{pattern} {event}");
    }
}

#[test]
fn values_are_equal_in_kind_and_content() {
    table(&[
        (json!("a"), json!("a"), true),
        (json!("a"), json!("A"), false),
        (json!("a"), json!("ab"), false),
        (json!(300), json!(300), true),
        (json!(300), json!(300.0), true),
        (json!(3.0e2), json!(300), true),
        (json!(300), json!("300"), false),
        (json!("300"), json!(300), false),
        (json!(true), json!(true), true),
        (json!(true), json!("true"), false),
        (json!(null), json!(null), true),
        (json!(null), json!(""), false),
        (json!(""), json!(""), true),
    ]);
}

#[test]
fn strings_are_compared_by_their_ends_their_case_and_wildcards() {
    table(&[
        (json!({"prefix": "eu-"}), json!("eu-west-1"), true),
        (json!({"prefix": "eu-"}), json!("us-east-1"), false),
        (json!({"prefix": {"equals-ignore-case": "EventB"}}), json!("eventbridge"), true),
        (json!({"suffix": ".png"}), json!("a.png"), true),
        (json!({"suffix": ".png"}), json!("a.jpg"), false),
        (json!({"suffix": {"equals-ignore-case": ".PNG"}}), json!("a.png"), true),
        (json!({"equals-ignore-case": "Alice"}), json!("aLICE"), true),
        (json!({"wildcard": "dir/*.png"}), json!("dir/a.png"), true),
        (json!({"wildcard": "dir/*.png"}), json!("dir/.png"), true),
        (json!({"wildcard": "dir/*.png"}), json!("other/a.png"), false),
        (json!({"wildcard": "a*b*a"}), json!("aba"), true),
        (json!({"wildcard": "a*b*a"}), json!("ab"), false),
        (json!({"wildcard": "a*a"}), json!("a"), false),
        (json!({"wildcard": "*"}), json!(""), true),
        (json!({"wildcard": r"a\*"}), json!("a*"), true),
        (json!({"wildcard": r"a\*"}), json!("ab"), false),
        (json!({"prefix": "1"}), json!(1), false),
    ]);
}

#[test]
fn numbers_are_compared_by_ranges() {
    table(&[
        (json!({"numeric": ["=", 5]}), json!(5.0), true),
        (json!({"numeric": [">", 0]}), json!(0), false),
        (json!({"numeric": [">=", 0]}), json!(0), true),
        (json!({"numeric": ["<", -1.5]}), json!(-2), true),
        (json!({"numeric": [">", 0, "<=", 5]}), json!(5), true),
        (json!({"numeric": [">", 0, "<", 5]}), json!(5), false),
        (json!({"numeric": [">", 0, "<", 5]}), json!("3"), false),
    ]);
}

#[test]
fn addresses_are_in_blocks() {
    table(&[
        (json!({"cidr": "10.0.0.0/24"}), json!("10.0.0.255"), true),
        (json!({"cidr": "10.0.0.0/24"}), json!("10.0.1.0"), false),
        (json!({"cidr": "0.0.0.0/0"}), json!("203.0.113.9"), true),
        (json!({"cidr": "10.0.0.1/32"}), json!("10.0.0.1"), true),
        (json!({"cidr": "2001:db8::/32"}), json!("2001:db8:1::5"), true),
        (json!({"cidr": "::/0"}), json!("10.0.0.1"), false),
        (json!({"cidr": "10.0.0.0/24"}), json!("not an address"), false),
    ]);
}

#[test]
fn anything_but_wants_a_value_that_is_none_of_those() {
    table(&[
        (json!({"anything-but": "a"}), json!("b"), true),
        (json!({"anything-but": "a"}), json!("a"), false),
        (json!({"anything-but": "a"}), json!(null), true),
        (json!({"anything-but": ["a", "b"]}), json!("b"), false),
        (json!({"anything-but": [1, 2]}), json!(2), false),
        (json!({"anything-but": [1, 2]}), json!(3), true),
        (json!({"anything-but": {"prefix": "init"}}), json!("initializing"), false),
        (json!({"anything-but": {"prefix": ["a", "b"]}}), json!("bc"), false),
        (json!({"anything-but": {"suffix": ".txt"}}), json!("a.png"), true),
        (json!({"anything-but": {"equals-ignore-case": ["INIT", "x"]}}), json!("init"), false),
        (json!({"anything-but": {"wildcard": "*/lib/*"}}), json!("a/lib/b"), false),
    ]);
    assert!(!wants(&json!({"x": [{"anything-but": "a"}]}), &json!({})));
}

#[test]
fn exists_asks_for_leaves_only() {
    for (wanted, event, expected) in [
        (true, json!({"x": 1}), true),
        (true, json!({"x": null}), true),
        (true, json!({}), false),
        (true, json!({"x": {"y": 1}}), false),
        (true, json!({"x": []}), false),
        (false, json!({}), true),
        (false, json!({"x": 1}), false),
    ] {
        assert_eq!(
            wants(&json!({"x": [{"exists": wanted}]}), &event),
            expected,
            "{wanted} {event}"
        );
    }
    assert!(wants(&json!({"detail": {"x": [{"exists": false}]}}), &json!({"source": "a"})));
}

#[test]
fn all_fields_must_match_and_of_each_field_one_condition() {
    let pattern = json!({"source": ["aws.ec2", "aws.ssm"], "detail": {"state": ["running"]}});
    let event = |source: &str, state: &str| json!({"source": source, "detail": {"state": state}});
    assert!(wants(&pattern, &event("aws.ssm", "running")));
    assert!(!wants(&pattern, &event("aws.s3", "running")));
    assert!(!wants(&pattern, &event("aws.ssm", "stopped")));
}

#[test]
fn an_array_matches_by_any_of_its_values() {
    let pattern = json!({"resources": [{"prefix": "arn:aws:ec2:"}]});
    assert!(wants(&pattern, &json!({"resources": ["arn:aws:s3:::b", "arn:aws:ec2:::i"]})));
    assert!(!wants(&pattern, &json!({"resources": ["arn:aws:s3:::b"]})));
    assert!(!wants(&pattern, &json!({"resources": []})));
    assert!(wants(&pattern, &json!({"resources": [["arn:aws:ec2:::i"]]})));
}

#[test]
fn fields_of_one_element_match_together() {
    let pattern = json!({"people": {"first": ["Ada"], "last": ["Byron"]}});
    assert!(wants(&pattern, &json!({"people": [{"first": "Ada", "last": "Byron"}]})));
    let crossed = json!({"people": [
        {"first": "Ada", "last": "King"}, {"first": "George", "last": "Byron"}
    ]});
    assert!(!wants(&pattern, &crossed));
}

#[test]
fn what_must_not_be_there_is_in_no_element_or_not_in_the_one_that_matches() {
    let absent = json!({"people": {"last": [{"exists": false}]}});
    assert!(wants(&absent, &json!({"people": [{"first": "Ada"}, {"first": "George"}]})));
    assert!(!wants(&absent, &json!({"people": [{"first": "Ada"}, {"last": "Byron"}]})));
    let alone = json!({"people": {"first": ["Ada"], "last": [{"exists": false}]}});
    assert!(wants(&alone, &json!({"people": [{"last": "Byron"}, {"first": "Ada"}]})));
    assert!(!wants(&alone, &json!({"people": [{"first": "Ada", "last": "King"}, {"x": 1}]})));
}

#[test]
fn one_of_the_alternatives_must_match() {
    let pattern = json!({"source": ["m"], "$or": [
        {"name": ["cpu"]}, {"kind": ["disk"], "space": ["A", "B"]}
    ]});
    assert!(wants(&pattern, &json!({"source": "m", "name": "cpu"})));
    assert!(wants(&pattern, &json!({"source": "m", "kind": "disk", "space": "B"})));
    assert!(!wants(&pattern, &json!({"source": "m", "kind": "disk"})));
    assert!(!wants(&pattern, &json!({"source": "n", "name": "cpu"})));
    let nested = json!({"detail": {"$or": [{"a": [1]}, {"b": {"$or": [{"c": [2]}, {"d": [3]}]}}]}});
    assert!(wants(&nested, &json!({"detail": {"b": {"d": 3}}})));
    assert!(!wants(&nested, &json!({"detail": {"b": {"d": 2}}})));
}

#[test]
fn of_a_name_that_is_given_twice_the_last_conditions_count_and_objects_are_joined() {
    let parsed = |pattern: &str| Pattern::parse(pattern).unwrap();
    // EventBridge user guide, "Complex example with multiple matching".
    let location =
        parsed(r#"{"location": [{"prefix": "us-"}], "location": [{"anything-but": "us-east"}]}"#);
    assert!(location.matches(&json!({"location": "eu-central-1"})));
    let joined = parsed(r#"{"a": {"b": [1]}, "a.c": [2], "a": {"d": [3]}}"#);
    assert!(joined.matches(&json!({"a": {"b": 1, "c": 2, "d": 3}})));
    for missing in [json!({"c": 2, "d": 3}), json!({"b": 1, "d": 3}), json!({"b": 1, "c": 2})] {
        assert!(!joined.matches(&json!({ "a": missing })));
    }
}

#[test]
fn an_event_that_is_no_object_matches_nothing() {
    for event in [json!([]), json!("a"), json!(null)] {
        assert!(!wants(&json!({"x": [{"exists": false}]}), &event), "{event}");
    }
}

#[test]
fn a_dot_in_a_name_leads_into_an_object_in_events_and_in_patterns() {
    let nested = json!({"detail": {"state": {"status": "running", "code": 1}}});
    let dotted = json!({"detail": {"state.status": "running", "state.code": 1}});
    let half = json!({"detail.state": {"status": "running"}, "detail": {"state.code": 1}});
    for event in [&nested, &dotted, &half] {
        for pattern in [
            json!({"detail": {"state.status": ["running"], "state": {"code": [1]}}}),
            json!({"detail.state.status": ["running"]}),
            json!({"detail": {"state": {"status": ["running"]}}}),
        ] {
            assert!(wants(&pattern, event), "{pattern} {event}");
        }
        assert!(!wants(&json!({"detail": {"state.status": {"status": ["running"]}}}), event));
    }
    assert!(wants(&json!({".": [1], "a.": [2]}), &json!({".": 1, "a.": 2})));
}
