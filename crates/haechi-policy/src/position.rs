//! Where statements stand in the text of a policy, as simulations tell it.

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

/// The beginning and end of each statement, in order, for a text that is a policy.
///
/// As IAM's simulations count them: an end is the place behind a statement's brace; a beginning is
/// the end of what stands before it, that is of the bracket or of the last statement. A statement
/// that stands alone, in no list, begins behind its own brace. (Answers of SimulateCustomPolicy as
/// published in the AWS CLI's examples and by users; no page says it.)
#[must_use]
pub fn statement_positions(text: &str) -> Vec<(Position, Position)> {
    let mut scan = Scan { found: Vec::new(), depth: 0, name: None, inside: None, before: START };
    let mut here = START;
    let mut characters = text.chars().peekable();
    let mut string: Option<String> = None;
    while let Some(character) = characters.next() {
        let after = here.after(character);
        match (&mut string, character) {
            (Some(text), '\\') => {
                let escaped = characters.next().unwrap_or_default();
                text.push(escaped);
                here = after.after(escaped);
                continue;
            }
            (Some(_), '"') => scan.name = string.take(),
            (Some(text), other) => text.push(other),
            (None, '"') => string = Some(String::new()),
            (None, other) => scan.take(other, after),
        }
        here = after;
    }
    scan.found
}

const START: Position = Position { line: 1, column: 1 };

impl Position {
    const fn after(self, character: char) -> Position {
        match character {
            '\n' => Position { line: self.line + 1, column: 1 },
            _ => Position { line: self.line, column: self.column + 1 },
        }
    }
}

/// How deep statements lie: in the object of the policy, and in the list there may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// `"Statement": {…}`
    Alone,
    /// `"Statement": […]`
    List,
}

struct Scan {
    found: Vec<(Position, Position)>,
    depth: u32,
    /// The string that was read last: the name of the member that follows.
    name: Option<String>,
    inside: Option<Inside>,
    /// Where the next statement begins.
    before: Position,
}

impl Scan {
    fn take(&mut self, character: char, after: Position) {
        let is_statement = self.name.as_deref() == Some("Statement");
        match character {
            '{' | '[' => {
                if self.depth == 1 && is_statement && self.inside.is_none() {
                    self.inside = Some(if character == '[' { Inside::List } else { Inside::Alone });
                    self.before = after;
                }
                self.depth += 1;
            }
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                let level = match self.inside {
                    Some(Inside::Alone) => 1,
                    Some(Inside::List) => 2,
                    None => return,
                };
                if character == '}' && self.depth == level {
                    self.found.push((self.before, after));
                    self.before = after;
                }
                if self.depth == 1 {
                    self.inside = None;
                    self.name = None;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(text: &str) -> Vec<[u32; 4]> {
        let flat =
            |(start, end): &(Position, Position)| [start.line, start.column, end.line, end.column];
        statement_positions(text).iter().map(flat).collect()
    }

    #[test]
    fn a_single_statement_is_where_the_cli_shows_it() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
        assert_eq!(positions(text), [[1, 38, 1, 167]]);
    }

    #[test]
    fn statements_of_a_list_follow_each_other_without_a_gap() {
        let text = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "a}\"", "Action": ["b"]}, {"Sid": "b"}]}"#;
        let first_end = u32::try_from(text.find(", {").unwrap()).unwrap() + 1;
        let second_end = u32::try_from(text.len()).unwrap() - 1;
        assert_eq!(positions(text), [[1, 41, 1, first_end], [1, first_end, 1, second_end]]);
    }

    #[test]
    fn lines_are_counted() {
        let text = "{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        {\n            \"Effect\": \"Allow\",\n            \"Action\": [\n                \"codecommit:ListRepositories\"\n            ],\n            \"Resource\": \"*\"\n        }\n    ]\n}";
        assert_eq!(positions(text), [[3, 19, 10, 10]]);
    }

    #[test]
    fn what_is_called_statement_elsewhere_is_none() {
        let text = r#"{"Id":"Statement","Statement":[{"Condition":{"StringEquals":{"Statement":["x"]}}}]}"#;
        assert_eq!(positions(text).len(), 1);
    }
}
