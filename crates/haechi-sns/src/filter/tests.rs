use super::*;

fn attributes(given: &[(&str, &str, &str)]) -> BTreeMap<String, Attribute> {
    given
        .iter()
        .map(|(name, data_type, value)| {
            let attribute =
                Attribute { data_type: (*data_type).to_owned(), value: (*value).to_owned() };
            ((*name).to_owned(), attribute)
        })
        .collect()
}

#[track_caller]
fn wants(policy: &str, given: &[(&str, &str, &str)]) -> bool {
    Filter::parse(policy, Scope::Attributes).unwrap().wants(&attributes(given), "")
}

#[track_caller]
fn wants_body(policy: &str, body: &str) -> bool {
    Filter::parse(policy, Scope::Body).unwrap().wants(&BTreeMap::new(), body)
}

#[test]
fn attributes_are_matched_by_their_types() {
    let store = r#"{"store": ["example_corp"]}"#;
    assert!(wants(store, &[("store", "String", "example_corp")]));
    assert!(!wants(store, &[("store", "String", "other")]));
    assert!(!wants(store, &[]));
    assert!(!wants(store, &[("store", "Binary", "ZXhhbXBsZV9jb3Jw")]));
    let price = r#"{"price": [{"numeric": [">", 0, "<=", 100]}]}"#;
    assert!(wants(price, &[("price", "Number", "100")]));
    assert!(wants(price, &[("price", "Number.float", "99.12")]));
    assert!(!wants(price, &[("price", "Number", "100.12")]));
    assert!(!wants(price, &[("price", "String", "50")]));
    assert!(wants(r#"{"n": [301.5]}"#, &[("n", "Number", "301.50")]));
}

#[test]
fn of_an_array_one_element_is_enough() {
    let wanted = r#"{"interests": ["rugby", "football", {"prefix": "base"}]}"#;
    let array = |text| [("interests", "String.Array", text)];
    assert!(wants(wanted, &array(r#"["baseball", "soccer"]"#)));
    assert!(!wants(wanted, &array(r#"["soccer"]"#)));
    assert!(!wants(wanted, &array("[]")));
    assert!(wants(r#"{"interests": [null]}"#, &array(r#"["a", null]"#)));
}

#[test]
fn every_operator_is_known() {
    let text = |value| [("k", "String", value)];
    for (policy, yes, no) in [
        (r#"{"k": [{"anything-but": ["a", "b"]}]}"#, "c", "a"),
        (r#"{"k": [{"anything-but": {"prefix": "order-"}}]}"#, "sale", "order-1"),
        (r#"{"k": [{"anything-but": {"suffix": "ball"}}]}"#, "rugby", "football"),
        (r#"{"k": [{"anything-but": {"wildcard": "*ball*"}}]}"#, "rugby", "a ball b"),
        (r#"{"k": [{"prefix": "bas"}]}"#, "baseball", "rugby"),
        (r#"{"k": [{"suffix": "ball"}]}"#, "baseball", "rugby"),
        (r#"{"k": [{"wildcard": "*ball*"}]}"#, "a ball b", "bal"),
        (r#"{"k": [{"equals-ignore-case": "Tennis"}]}"#, "TENNIS", "golf"),
        (r#"{"k": [{"cidr": "10.0.0.0/24"}]}"#, "10.0.0.255", "10.1.1.0"),
        (r#"{"k": [{"exists": true}]}"#, "any", ""),
    ] {
        assert!(wants(policy, &text(yes)), "{policy} {yes}");
        let other: &[_] = if no.is_empty() { &[] } else { &text(no) };
        assert!(!wants(policy, other), "{policy} {no}");
    }
    assert!(wants(r#"{"k": [{"exists": false}]}"#, &[]));
    let either = r#"{"s": ["a"], "$or": [{"x": ["1"]}, {"y": ["2"]}]}"#;
    assert!(wants(either, &[("s", "String", "a"), ("y", "String", "2")]));
    assert!(!wants(either, &[("s", "String", "a")]));
}

#[test]
fn a_dot_in_a_name_is_nesting_in_bodies() {
    let policy = r#"{"object.nested.test": ["string.value"]}"#;
    for body in [
        r#"{"object": {"nested": {"test": "string.value"}}}"#,
        r#"{"object.nested.test": "string.value"}"#,
        r#"{"object.nested": {"test": "string.value"}}"#,
        r#"{"object": {"nested.test": "string.value"}}"#,
    ] {
        assert!(wants_body(policy, body), "{body}");
    }
    assert!(!wants_body(policy, r#"{"object": {"nested": {"test": "other"}}}"#));
    assert!(wants_body(r#"{"object": {"nested": {"test": [1]}}}"#, r#"{"object.nested.test": 1}"#));
    assert!(!wants_body(policy, "no JSON"));
    let deep = format!(r#"{{"{}": 1}}"#, "a.".repeat(100_000) + "a");
    assert!(!wants_body(policy, &deep));
}

#[test]
fn bodies_with_arrays_match_by_any_element() {
    let policy = r#"{"headers": {"route-to": ["queue1"]}}"#;
    assert!(wants_body(policy, r#"{"headers": {"route-to": ["queue1", "queue2"]}}"#));
    assert!(!wants_body(policy, r#"{"headers": {"route-to": ["queue2"]}}"#));
}

#[test]
fn limits_hold_at_their_edges() {
    let refusal = |policy: &str, scope| Filter::parse(policy, scope).unwrap_err();
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!(r#""k{n}": [1]"#)).collect();
        format!("{{{}}}", keys.join(","))
    };
    assert!(Filter::parse(&keys(5), Scope::Attributes).is_ok());
    let told = "Filter policy can not have more than 5 keys";
    assert_eq!(refusal(&keys(6), Scope::Attributes), told);
    let values = |count: usize| {
        let values: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        format!(r#"{{"a": [{}], "b": [1, 2]}}"#, values.join(","))
    };
    assert!(Filter::parse(&values(75), Scope::Attributes).is_ok());
    assert_eq!(refusal(&values(76), Scope::Attributes), "Filter policy is too complex");
    // 4 values at level 3, 3 at level 2, 3 at level 1: 216.
    let nested = r#"{"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}, "f": [1, 2, 3]}"#;
    assert_eq!(refusal(nested, Scope::Body), "Filter policy is too complex");
    let told = "Filter policy scope MessageAttributes does not support nested filter policy";
    assert_eq!(refusal(r#"{"a": {"b": [1]}}"#, Scope::Attributes), told);
}

#[test]
fn a_policy_that_is_no_json_is_refused_as_recorded() {
    let told = "failed to parse JSON. Unrecognized token 'invalid': was expecting (JSON String, \
                Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED \
                (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 8]";
    assert_eq!(Filter::parse("invalid", Scope::Attributes).unwrap_err(), told);
}

#[test]
fn mistakes_are_told_in_the_words_of_aws() {
    for (policy, reason) in [
        (r#"{"key": []}"#, "Empty arrays are not allowed"),
        (r#"{"key": [["value"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"key": [{"wrong-operator": true}]}"#, "Unrecognized match type wrong-operator"),
        (r#"{"key": {"suffix": "value"}}"#, "\"suffix\" must be an object or an array"),
        (r#"{"key": [{"suffix": 100}]}"#, "suffix match pattern must be a string"),
        (r#"{"key": [{"cidr": "bad-filter"}]}"#, "Malformed CIDR, one '/' required"),
        (r#"{"key": [{"cidr": "xx.11.xx/8"}]}"#, "Nonstandard IP address: xx.11.xx"),
        (
            r#"{"key": [{"suffix": "a", "prefix": "b"}]}"#,
            "Only one key allowed in match expression",
        ),
    ] {
        assert_eq!(Filter::parse(policy, Scope::Attributes).unwrap_err(), reason, "{policy}");
    }
}
