use super::*;
use crate::ContextMap;

fn met(operator: &str, wanted: &[&str], seen: Option<&[&str]>) -> bool {
    let mut context = ContextMap::new();
    if let Some(values) = seen {
        context.insert("aws:key", values.iter().map(ToString::to_string).collect());
    }
    let wanted = wanted.iter().map(ToString::to_string).collect();
    Condition::compile(operator, "aws:Key", wanted, true).unwrap().met(&context)
}

#[test]
fn an_absent_key_meets_only_what_says_not_or_if_it_exists() {
    assert!(!met("StringEquals", &["a"], None));
    assert!(met("StringNotEquals", &["a"], None));
    assert!(met("StringEqualsIfExists", &["a"], None));
    assert!(met("StringNotEqualsIfExists", &["a"], None));
    assert!(!met("NumericLessThan", &["1"], None));
    assert!(met("NumericNotEquals", &["1"], None));
    assert!(met("DateNotEquals", &["1"], None));
    assert!(met("NotIpAddress", &["10.0.0.0/8"], None));
    assert!(met("ArnNotLike", &["arn:aws:a:b:c:d"], None));
    assert!(!met("Bool", &["false"], None));
    assert!(!met("BinaryEquals", &["YQ=="], None));
    assert!(met("ForAllValues:StringEquals", &["a"], None));
    assert!(met("ForAllValues:StringNotEquals", &["a"], None));
    assert!(!met("ForAnyValue:StringEquals", &["a"], None));
    assert!(!met("ForAnyValue:StringNotEquals", &["a"], None));
    assert!(met("ForAnyValue:StringEqualsIfExists", &["a"], None));
}

#[test]
fn several_operands_are_joined_by_or_and_by_nor_when_negated() {
    assert!(met("StringEquals", &["a", "b"], Some(&["b"])));
    assert!(!met("StringNotEquals", &["a", "b"], Some(&["b"])));
    assert!(met("StringNotEquals", &["a", "b"], Some(&["c"])));
    assert!(!met("NumericNotEquals", &["1", "2"], Some(&["2"])));
}

#[test]
fn set_operators_count_the_values_of_the_request() {
    assert!(met("ForAllValues:StringEquals", &["a", "b"], Some(&["a", "b", "a"])));
    assert!(!met("ForAllValues:StringEquals", &["a", "b"], Some(&["a", "c"])));
    assert!(met("ForAnyValue:StringEquals", &["a", "b"], Some(&["c", "b"])));
    assert!(!met("ForAnyValue:StringEquals", &["a", "b"], Some(&["c", "d"])));
    assert!(met("ForAllValues:StringNotEquals", &["a"], Some(&["b", "c"])));
    assert!(!met("ForAllValues:StringNotEquals", &["a"], Some(&["b", "a"])));
    assert!(met("ForAnyValue:StringNotEquals", &["a"], Some(&["b", "a"])));
    assert!(!met("ForAnyValue:StringNotEquals", &["a"], Some(&["a"])));
    assert!(met("ForAllValues:StringEquals", &["a"], Some(&[""])));
    assert!(!met("ForAnyValue:StringEquals", &["a", ""], Some(&[""])));
}

#[test]
fn null_asks_whether_the_key_is_there() {
    assert!(met("Null", &["true"], None));
    assert!(!met("Null", &["false"], None));
    assert!(met("Null", &["false"], Some(&["x"])));
    assert!(!met("Null", &["true"], Some(&["x"])));
    assert!(met("Null", &["true"], Some(&[])));
    assert!(met("Null", &["true", "false"], None));
}

#[test]
fn booleans_numbers_dates_binaries_and_addresses_compare_as_what_they_are() {
    assert!(met("Bool", &["true"], Some(&["TRUE"])));
    assert!(!met("Bool", &["true"], Some(&["false"])));
    assert!(met("NumericLessThanEquals", &["10"], Some(&["10.0"])));
    assert!(!met("NumericLessThan", &["10"], Some(&["ten"])));
    assert!(met("DateGreaterThan", &["2020-01-01T00:00:01Z"], Some(&["1577836802"])));
    assert!(met(
        "BinaryEquals",
        &["QmluYXJ5VmFsdWVJbkJhc2U2NA=="],
        Some(&["QmluYXJ5VmFsdWVJbkJhc2U2NA=="])
    ));
    assert!(met("IpAddress", &["203.0.113.0/24"], Some(&["::ffff:203.0.113.9"])));
    assert!(met("NotIpAddress", &["203.0.113.0/24"], Some(&["2001:db8::1"])));
    assert!(met("StringNotLike", &["a*"], Some(&["ba"])));
    assert!(!met("StringEquals", &["a*"], Some(&["ab"])));
}

#[test]
fn an_operator_that_does_not_exist_and_operands_of_the_wrong_type_are_refused() {
    let compile = |operator: &str, value: &str| {
        Condition::compile(operator, "aws:k", vec![value.to_owned()], true)
    };
    for operator in ["StringIs", "NullIfExists", "ForSomeValues:StringEquals", "", "IfExists"] {
        assert!(matches!(compile(operator, "true"), Err(ParseError::Syntax { .. })), "{operator}");
    }
    for (operator, value) in [
        ("NumericEquals", "x"),
        ("DateEquals", "x"),
        ("Bool", "yes"),
        ("BinaryEquals", "*"),
        ("IpAddress", "10.0.0.0/99"),
        ("Null", "maybe"),
        ("NumericEquals", "${aws:x}"),
    ] {
        assert!(matches!(compile(operator, value), Err(ParseError::LegacyParsing { .. })));
    }
    assert!(compile("Bool", "${aws:x}").is_ok());
    assert!(compile("stringequalsifexists", "x").is_ok());
}
