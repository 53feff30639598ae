//! `*` in strings: any characters, also none. `\*` and `\\` stand for themselves.

use crate::PatternError;

/// Wildcards that may be followed by the same character. AWS's bound is not documented; with this
/// one `*:*:*:*:*:event-bus/*`, its own example, is refused.
const REPEATED_MAX: usize = 4;

const COMPLEX: &str = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character";

fn is_complex(pieces: &[String]) -> bool {
    let first = |piece: &String| piece.chars().next();
    let after: Vec<char> = pieces.iter().skip(1).filter_map(first).collect();
    after.iter().any(|one| after.iter().filter(|other| *other == one).count() > REPEATED_MAX)
}

/// A string with wildcards, cut at them: of `n` pieces, `n - 1` wildcards stand between.
#[derive(Debug, Clone, PartialEq)]
pub struct Wildcard(Vec<String>);

impl Wildcard {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If two wildcards stand side by side, or a backslash before anything but `*` and itself, or if
    /// many wildcards are followed by the same character. Positions count the quote before the text.
    pub fn parse(text: &str) -> Result<Wildcard, PatternError> {
        let mut pieces = vec![String::new()];
        let mut characters =
            text.chars().zip(1..).map(|(one, position)| (position, one)).peekable();
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
        if is_complex(&pieces) {
            return Err(PatternError::new(COMPLEX));
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
