//! `*` in strings: any characters, also none. `\*` and `\\` stand for themselves.

use crate::PatternError;

/// A string with wildcards, cut at them: of `n` pieces, `n - 1` wildcards stand between.
#[derive(Debug, Clone, PartialEq)]
pub struct Wildcard(Vec<String>);

impl Wildcard {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If two wildcards stand side by side, or a backslash before anything but `*` and itself.
    pub fn parse(text: &str) -> Result<Wildcard, PatternError> {
        let mut pieces = vec![String::new()];
        let mut characters = text.chars().enumerate().peekable();
        while let Some((position, character)) = characters.next() {
            let piece = match character {
                '*' if matches!(characters.peek(), Some((_, '*'))) => {
                    return Err(PatternError::new(format!(
                        "Consecutive wildcard characters at pos {position}"
                    )));
                }
                '*' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('*' | '\\'))) => escaped,
                    _ => {
                        return Err(PatternError::new(format!(
                            "Invalid escape character at pos {position}"
                        )));
                    }
                },
                other => other,
            };
            if let Some(last) = pieces.last_mut() {
                last.push(piece);
            }
        }
        Ok(Wildcard(pieces))
    }

    /// Whether `text` is of this form. Each piece is looked for once, from the left: no
    /// backtracking, so the work is bounded by the lengths multiplied.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return text == first };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some((_, after)) = text.split_once(piece.as_str()) else { return false };
            text = after;
        }
        text.ends_with(last.as_str())
    }
}
