//! Why something is no JSON, as AWS's services quote it of the parser that they use.

use crate::mistake::{REDACTED, VALUES, described};
use crate::reader::{Reader, Token};

/// Why bytes are no JSON, and where, in the words of the parser that AWS uses; `None` if that parser
/// reads them.
///
/// Source: responses recorded from Lambda and SNS.
pub fn no_json(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Some(no_text(bytes, error.valid_up_to())),
    };
    let mut reader = Reader::new(text);
    loop {
        match reader.next() {
            Ok(Token::End) => return None,
            Ok(_) => {}
            Err(refused) => return Some(refused.without_source()),
        }
    }
}

/// Of a byte that begins no character: where a value is to begin, the parser stands on the byte;
/// within something, behind it.
fn no_text(bytes: &[u8], at: usize) -> String {
    let (before, rest) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let byte = rest.first().copied().unwrap_or_default();
    let line = before.split(|byte| *byte == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let (why, column) = if before.trim_ascii().is_empty() {
        let shown = described(char::from(byte));
        (format!("Unexpected character ({shown}): expected a valid value {VALUES}"), column)
    } else {
        (format!("Invalid UTF-8 start byte 0x{byte:x}"), column + 1)
    };
    format!("{why}\n at [Source: {REDACTED}; line: {line}, column: {column}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_behind_what_is_no_pattern_is_told_as_one_of_json() {
        let broken = r#"{"a": 1, broken"#;
        let told = no_json(broken.as_bytes()).unwrap();
        let why = "Unexpected character ('b' (code 98)): was expecting double-quote to start field \
                   name\n at [Source: REDACTED";
        assert!(told.starts_with(why), "{told}");
        assert_eq!(no_json(br#"{"a": [1, "b", {"c": null}]}"#), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_told_as_recorded() {
        let told = no_json(b"n\x87r").unwrap();
        assert!(told.starts_with("Invalid UTF-8 start byte 0x87\n at [Source: REDACTED"), "{told}");
        assert!(told.ends_with("line: 1, column: 3]"), "{told}");
        let told = no_json(b"\x99").unwrap();
        assert!(told.starts_with("Unexpected character ((CTRL-CHAR, code 153)): "), "{told}");
    }
}
