//! `*` in strings: any characters, also none. `\*` and `\\` stand for themselves.

/// Wildcards that may be followed by the same character. AWS's bound is not documented; with this
/// one `*:*:*:*:*:event-bus/*`, its own example, is refused.
const REPEATED_MAX: usize = 4;

/// A string with wildcards, cut at them: of `n` pieces, `n - 1` wildcards stand between.
#[derive(Debug, Clone, PartialEq)]
pub struct Wildcard(Vec<String>);

impl Wildcard {
    /// Why one is refused that [is too complex](Wildcard::is_complex).
    pub const COMPLEX: &str = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character";

    /// Reads a pattern.
    ///
    /// # Errors
    /// The reason, if two wildcards stand side by side, or a backslash before anything but `*` and
    /// itself. Positions count the quote before the text.
    pub fn parse(text: &str) -> Result<Wildcard, String> {
        let mut pieces = vec![String::new()];
        let mut characters =
            text.chars().zip(1..).map(|(one, position)| (position, one)).peekable();
        while let Some((position, character)) = characters.next() {
            let piece = match character {
                '*' if matches!(characters.peek(), Some((_, '*'))) => {
                    return Err(format!("Consecutive wildcard characters at pos {position}"));
                }
                '*' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('*' | '\\'))) => escaped,
                    _ => {
                        return Err(format!("Invalid escape character at pos {position}"));
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

    /// Whether many wildcards are followed by the same character.
    pub fn is_complex(&self) -> bool {
        let after: Vec<char> =
            self.0.iter().skip(1).filter_map(|piece| piece.chars().next()).collect();
        let times = |one: &char| after.iter().filter(|other| *other == one).count();
        after.iter().any(|one| times(one) > REPEATED_MAX)
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
