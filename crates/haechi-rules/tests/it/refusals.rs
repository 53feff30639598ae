//! Patterns that are none, and the reason that is given.

use haechi_rules::Pattern;

#[track_caller]
fn refused(pattern: &str, reason: &str) {
    let error = Pattern::parse(pattern).unwrap_err().to_string();
    assert!(error.starts_with(reason), "{pattern}: {error}");
}

#[test]
fn each_mistake_has_its_reason() {
    for (pattern, reason) in [
        ("[]", "Filter is not an object"),
        ("{", "Invalid JSON"),
        ("{}", "Empty objects are not allowed"),
        (r#"{"a": {}}"#, "Empty objects are not allowed"),
        (r#"{"a": []}"#, "Empty arrays are not allowed"),
        (r#"{"a": "b"}"#, r#""a" must be an object or an array"#),
        (r#"{"a": [["b"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a": [{}]}"#, "Match expression name not found"),
        (r#"{"a": [{"prefix": "b", "suffix": "c"}]}"#, "Only one key allowed in match expression"),
        (r#"{"a": [{"like": "b"}]}"#, "Unrecognized match type like"),
        (r#"{"a": [{"prefix": 1}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"wildcard": "a**b"}]}"#, "Consecutive wildcard characters at pos 2"),
        (r#"{"a": [{"wildcard": "a\\b"}]}"#, "Invalid escape character at pos 2"),
        (r#"{"a": [{"exists": "yes"}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a": [{"numeric": 1}]}"#, "Value of numeric must be an array."),
        (r#"{"a": [{"numeric": [1]}]}"#, "Invalid member in numeric match: 1"),
        (r#"{"a": [{"numeric": ["=", "1"]}]}"#, "Value of equals must be numeric"),
        (r#"{"a": [{"numeric": ["!", 1]}]}"#, "Unrecognized numeric range operator: !"),
        (r#"{"a": [{"numeric": ["operator"]}]}"#, "Unrecognized numeric range operator: operator"),
        (r#"{"a": [{"numeric": [">", 5, "<", 3]}]}"#, "Bottom must be less than top"),
        (r#"{"a": [{"numeric": [">", 20, 30]}]}"#, "Bad value in numeric range: 30"),
        (r#"{"a": [{"numeric": [">", 20, "test"]}]}"#, "Bad numeric range operator: test"),
        (
            r#"{"a": [{"numeric": [">", 20, "<", 30, "<", 50]}]}"#,
            "Too many terms in numeric range expression",
        ),
        (r#"{"a": [{"numeric": [">", 5, ">", 7]}]}"#, "Bad numeric range operator: >"),
        (r#"{"a": [{"numeric": ["<", 5, ">", 3]}]}"#, "Too many elements in numeric expression"),
        (r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "Malformed CIDR, one '/' required"),
        (r#"{"a": [{"cidr": "10.0.0.0/33"}]}"#, "IPv4 mask bits must be <= 32"),
        (r#"{"a": [{"cidr": "10.0.0/8"}]}"#, "Nonstandard IP address: 10.0.0"),
        (r#"{"a": [{"anything-but": null}]}"#, "Value of anything-but must be an array or single"),
        (r#"{"a": [{"anything-but": [1, "b"]}]}"#, "Inside anything but list, either all values"),
        (r#"{"a": [{"anything-but": []}]}"#, "Inside anything but list, either all values"),
        (r#"{"a": [{"anything-but": {"numeric": ["=", 1]}}]}"#, "Unsupported anything-but pattern"),
        (r#"{"a": [{"anything-but": {"prefix": 1}}]}"#, "prefix/suffix match pattern must be a"),
        (r#"{"a": [{"anything-but": {"suffix": ["b", 1]}}]}"#, "prefix/suffix match pattern must"),
        (
            r#"{"a": [{"anything-but": {"equals-ignore-case": [1]}}]}"#,
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        ),
        (
            r#"{"a": [{"anything-but": {"prefix": {"equals-ignore-case": "b"}}}]}"#,
            "Value of anything-but must be an array or single string/number value.",
        ),
        (r#"{"a": [{"anything-but": {"wildcard": [1]}}]}"#, "wildcard match pattern must be a"),
        (r#"{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}"#, "Rule is too complex"),
        (r#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "Null prefix/suffix not allowed"),
        (r#"{"$or": {"a": [1]}}"#, "It must be an Array followed with $or."),
        (r#"{"$or": [{"a": [1]}]}"#, "There must have at least 2 Objects in $or relationship."),
        (r#"{"$or": [{"a": [1]}, 2]}"#, "Only JSON object is allowed in array of $or"),
    ] {
        refused(pattern, reason);
    }
}

#[test]
fn a_pattern_that_is_nested_too_deeply_is_refused_and_does_not_exhaust_the_stack() {
    let deep = |depth: usize| format!("{}[1]{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(Pattern::parse(&deep(50)).is_ok());
    refused(&deep(60), "The pattern is nested too deeply");
    refused(&deep(100_000), "Invalid JSON");
}
