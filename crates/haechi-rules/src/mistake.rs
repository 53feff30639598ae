//! Why a text is no pattern, and where it shows.

use std::borrow::Cow;

/// What JSON values are, in the words of Event Ruler's parser.
pub(crate) const VALUES: &str =
    "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// Characters (UTF-16) of a pattern that a place quotes, at most.
const QUOTED_MAX: usize = 500;

/// What stands for the text where it is not told.
pub(crate) const REDACTED: &str =
    "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";

/// Why a text is no pattern, in the words of AWS's Event Ruler, and where in it that shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{place}")]
pub struct PatternError {
    reason: Cow<'static, str>,
    place: String,
}

impl PatternError {
    /// A reason that Event Ruler gives without a place.
    pub(crate) fn new(reason: impl Into<Cow<'static, str>>) -> PatternError {
        PatternError { reason: reason.into(), place: String::new() }
    }

    pub(crate) fn placed(reason: String, place: String) -> PatternError {
        PatternError { reason: reason.into(), place }
    }

    pub(crate) fn followed_by(mut self, place: &str) -> PatternError {
        self.place.push_str(place);
        self
    }

    /// The reason and the place without the text that it is in, as newer services of AWS tell it.
    pub(crate) fn without_source(&self) -> String {
        let Some((_, place)) = self.place.rsplit_once("; line: ") else {
            return self.reason.to_string();
        };
        format!("{}\n at [Source: {REDACTED}; line: {place}", self.reason)
    }

    /// The reason alone.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// `[Source: (String)"{}"; line: 1, column: 2]`: the character at `offset`, counted from one.
pub(crate) fn place(source: &str, offset: usize) -> String {
    let before = source.get(..offset).unwrap_or(source);
    // A line ends with CR, LF or both.
    let ends = before.replace("\r\n", "\n");
    let line = 1 + ends.matches(['\n', '\r']).count();
    let last = ends.rsplit(['\n', '\r']).next().unwrap_or_default();
    let column = 1 + last.encode_utf16().count();
    format!("[Source: (String){}; line: {line}, column: {column}]", quoted(source))
}

fn quoted(source: &str) -> String {
    let length = source.encode_utf16().count();
    let units: Vec<u16> = source.encode_utf16().take(QUOTED_MAX).collect();
    let mut out = String::from("\"");
    for character in String::from_utf16_lossy(&units).chars() {
        match character {
            '\n' | '\r' => out.push(character),
            control if control.is_control() => {
                out.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    if length > QUOTED_MAX {
        out.push_str(&format!("[truncated {} chars]", length - QUOTED_MAX));
    }
    out
}

/// `'x' (code 120)`.
pub(crate) fn described(character: char) -> String {
    let code = u32::from(character);
    match code {
        _ if character.is_control() => format!("(CTRL-CHAR, code {code})"),
        0..=255 => format!("'{character}' (code {code})"),
        _ => format!("'{character}' (code {code} / 0x{code:x})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_utf16_from_one() {
        let source = "ab\r\n😀c\rd";
        for (offset, expected) in [
            (0, "line: 1, column: 1]"),
            (2, "line: 1, column: 3]"),
            (4, "line: 2, column: 1]"),
            (8, "line: 2, column: 3]"),
            (10, "line: 3, column: 1]"),
        ] {
            assert!(place(source, offset).ends_with(expected), "{}", place(source, offset));
        }
    }

    #[test]
    fn a_long_pattern_is_quoted_in_part() {
        let source = "a".repeat(QUOTED_MAX + 7);
        let quoted = place(&source, 1);
        assert!(quoted.contains("a\"[truncated 7 chars]; line: 1, column: 2]"), "{quoted}");
    }
}
