//! JSON without the space between its tokens.

/// The text without it; members keep their order. What is no JSON comes out as something else that
/// is none: whoever keeps it has parsed it before.
#[must_use]
pub fn compact(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        let is_space = !in_string && matches!(c, ' ' | '\t' | '\n' | '\r');
        match (*c, escaped) {
            ('"', false) => in_string = !in_string,
            ('\\', false) if in_string => {
                escaped = true;
                return true;
            }
            _ => {}
        }
        escaped = false;
        !is_space
    };
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn space_goes_between_tokens_and_stays_within_strings() {
        let text = "{\n  \"b c\" : [ 1,\t\"x \\\" y\\\\\" , \"z  \" ],\r\n  \"a\": { }\n}\n";
        let expected = "{\"b c\":[1,\"x \\\" y\\\\\",\"z  \"],\"a\":{}}";
        assert_eq!(compact(text), expected);
        assert_eq!(compact(expected), expected);
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(text), parse(expected));
    }
}
