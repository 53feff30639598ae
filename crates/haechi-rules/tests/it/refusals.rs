//! Patterns that are none, and the reason that is given.

use haechi_rules::Pattern;

#[track_caller]
fn refused(pattern: &str, reason: &str) {
    let error = Pattern::parse(pattern).unwrap_err().to_string();
    assert!(error.starts_with(reason), "{}: {error}", &pattern[..pattern.len().min(80)]);
}

#[test]
fn each_mistake_has_its_reason() {
    for (pattern, reason) in [
        ("[]", "Filter is not an object"),
        ("{", "Unexpected end-of-input: expected close marker for Object (start marker at "),
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
        (
            r#"{"$or": [{"a": [1]}, {"b": {"numeric": [1]}}]}"#,
            "numeric is Ruler reserved fieldName which cannot be used inside $or.",
        ),
        (r#"{"a": [{"suffix": {"prefix": "b"}}]}"#, "Unsupported suffix pattern: prefix"),
        (r#"{"a": [{"numeric": [">", 5, 6]}]}"#, "Bad value in numeric range: 6"),
        (r#"{"a": [{"numeric": [">", 5, "<", 6, 7]}]}"#, "Too many terms in numeric range"),
    ] {
        refused(pattern, reason);
    }
}

#[test]
fn a_pattern_that_is_nested_too_deeply_is_refused_and_does_not_exhaust_the_stack() {
    let deep = |depth: usize| format!("{}[1]{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(Pattern::parse(&deep(50)).is_ok());
    refused(&deep(60), "The pattern is nested too deeply");
    refused(&deep(100_000), "The pattern is nested too deeply");
}

/// Each with what EventBridge answered, behind `Event pattern is not valid. Reason: `; `§` stands
/// for the place up to the pattern.
#[test]
fn a_mistake_is_told_with_its_place_as_recorded() {
    for (pattern, told) in [
        (r#"{"int": 42}"#, r#""int" must be an object or an array§; line: 1, column: 11]"#),
        (
            r#"{"string": "my-value"}"#,
            r#""string" must be an object or an array§; line: 1, column: 13]"#,
        ),
        (r#"{"resources": []}"#, "Empty arrays are not allowed§; line: 1, column: 17]"),
        (
            r#"{"my_key": [{"EXISTS": true}]}"#,
            "Unrecognized match type EXISTS§; line: 1, column: 28]",
        ),
        (
            r#"{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}"#,
            "Unrecognized match type NUMERIC§; line: 1, column: 36]",
        ),
        (
            r#"{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}"#,
            "Bad numeric range operator: >§; line: 1, column: 49]",
        ),
        (
            r#"{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}"#,
            "Value of < must be numeric§; line: 1, column: 50]",
        ),
        (
            r#"{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}"#,
            "Consecutive wildcard characters at pos 26§; line: 1, column: 72]",
        ),
        (
            r#"{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}"#,
            "equals-ignore-case match pattern must be a string§; line: 1, column: 42]",
        ),
        (
            r#"{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}"#,
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.§; line: 1, column: 66]",
        ),
        (
            r#"{"EventBusArn": [{"wildcard": 123}]}"#,
            "wildcard match pattern must be a string§; line: 1, column: 34]",
        ),
        (
            r#"{"time": [{"prefix": ["2022-07-13"]}]}"#,
            "prefix match pattern must be a string§; line: 1, column: 23]",
        ),
        (
            r#"{"detail": {"FileName": [{"anything-but": {"suffix": {"equals-ignore-case": ".png"}}}]}}"#,
            "Value of anything-but must be an array or single string/number value.§; line: 1, column: 55]",
        ),
        (
            r#"{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}"#,
            "prefix match pattern must be a string§; line: 1, column: 43]",
        ),
        (
            "this is valid json but not a dict",
            "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')§; line: 1, column: 5]",
        ),
        (
            "{'bad': 'quotation'}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name§; line: 1, column: 2]",
        ),
        (
            r#"{"not": closed mark""#,
            "Unrecognized token 'closed': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')§; line: 1, column: 15]",
        ),
        (
            r#"["not", "a", "dict", "but valid json"]"#,
            "Filter is not an object§; line: 1, column: 2]",
        ),
        // In lists it is told twice.
        (
            r#"{"detail": {"state": [{"anything-but": {"equals-ignore-case": [123, 456]}}]}}"#,
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.§; line: 1, column: 67]§; line: 1, column: 67]",
        ),
        (
            r#"{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}"#,
            "wildcard match pattern must be a string§; line: 1, column: 57]§; line: 1, column: 57]",
        ),
        (
            r#"{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}"#,
            "prefix/suffix match pattern must be a string§; line: 1, column: 55]§; line: 1, column: 55]",
        ),
        // These have no place.
        (r#"{"a": [{"cidr": "xx.11.xx/8"}]}"#, "Nonstandard IP address: xx.11.xx"),
        (
            r#"{"EventBusArn": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}"#,
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character",
        ),
    ] {
        let source = format!("\n at [Source: (String)\"{pattern}\"");
        let error = Pattern::parse(pattern).unwrap_err();
        assert_eq!(error.to_string(), told.replace('§', &source));
        assert!(told.starts_with(error.reason()), "{}", error.reason());
    }
}

#[test]
fn broken_json_is_told_as_the_parser_of_event_ruler_tells_it() {
    for (pattern, told) in [
        (r#"{"a" [1]}"#, "Unexpected character ('[' (code 91)): was expecting a colon"),
        (r#"{"a": [1],}"#, "Unexpected character ('}' (code 125)): was expecting double-quote"),
        (r#"{"a": [1,]}"#, "Unexpected character (']' (code 93)): expected a valid value (JSON"),
        (
            r#"{"a": [1 2]}"#,
            "Unexpected character ('2' (code 50)): was expecting comma to separate",
        ),
        (r#"{"a": }"#, "Unexpected character ('}' (code 125)): expected a value"),
        (
            r#"{"a": [1}"#,
            "Unexpected close marker '}': expected ']' (for Array starting at [Source",
        ),
        (r#"{"a": ["b"#, "Unexpected end-of-input: was expecting closing quote for a string value"),
        (r#"{"a"#, "Unexpected end-of-input in field name"),
        (r#"{"a": [1"#, "Unexpected end-of-input: expected close marker for Array (start marker"),
        (r#"{"a": ["\x"]}"#, "Unrecognized character escape 'x' (code 120)"),
        (r#"{"a": [01]}"#, "Invalid numeric value: Leading zeroes not allowed"),
        (r#"{"a": [1.]}"#, "Unexpected character (']' (code 93)) in numeric value: Decimal point"),
        (r#"{"a": [1e400]}"#, "Numeric value (1e400) out of range"),
        (r#"{"a": [{"numeric": ["<", 1e400]}]}"#, "Numeric value (1e400) out of range"),
        (r#"{"a": [nul]}"#, "Unrecognized token 'nul': was expecting"),
        ("{\"a\": [\"b\n\"]}", "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be"),
        (r#"{"a": [1]} x"#, "Unrecognized token 'x'"),
        (r#"{"a": [1]} {}"#, "Nothing may follow the pattern"),
        ("", "Filter is not an object"),
    ] {
        refused(pattern, told);
    }
}
