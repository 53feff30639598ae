//! JSON, token by token, with the place of each mistake.
//!
//! AWS's reasons for refusing a pattern end with a place: `at [Source: (String)"…"; line: 1,
//! column: 36]`. It is where Event Ruler's parser, Jackson, stands when it notices, and that depends
//! on how far it reads ahead: after a name it has begun the value, a string is read to its end only
//! when somebody wants to see it. So this one reads as far. Places and words of broken JSON follow
//! responses recorded from EventBridge, and Jackson's documentation where none is recorded.

use crate::PatternError;
use crate::mistake::{VALUES, described, place};

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Name(String),
    /// A string; [`Reader::text`] reads it.
    Text,
    Number(String),
    /// `true`, `false` or `null`.
    Word(&'static str),
    End,
}

/// An object or array that is not yet closed.
struct Open {
    is_array: bool,
    start: usize,
    has_entries: bool,
}

impl Open {
    fn kind(&self) -> &'static str {
        if self.is_array { "Array" } else { "Object" }
    }
}

/// Reads tokens from a text.
pub(crate) struct Reader<'a> {
    source: &'a str,
    /// The offset of what has not been looked at.
    at: usize,
    open: Vec<Open>,
    /// The value behind a name, and where it begins.
    ahead: Option<(Token, usize)>,
    /// Whether a string has begun that nobody has wanted yet.
    in_text: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a str) -> Reader<'a> {
        Reader { source, at: 0, open: Vec::new(), ahead: None, in_text: false }
    }

    /// A refusal of what was read last.
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> PatternError {
        self.refuse_at(self.at, reason)
    }

    fn refuse_at(&self, offset: usize, reason: impl Into<String>) -> PatternError {
        PatternError::placed(reason.into(), format!("\n at {}", place(self.source, offset)))
    }

    /// A refusal that is told once more on the way out: Event Ruler does so in lists.
    pub(crate) fn told_again(&self, error: PatternError) -> PatternError {
        let again = format!("\n at {}", place(self.source, self.at));
        error.followed_by(&again)
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Result<Token, PatternError> {
        if let Some((token, start)) = self.ahead.take() {
            return Ok(self.entered(token, start));
        }
        if self.in_text {
            self.text()?;
        }
        let Some((mut start, mut character)) = self.significant()? else { return self.end() };
        if matches!(character, ']' | '}') {
            return self.close(character);
        }
        if let Some(open) = self.open.last_mut() {
            let kind = open.kind();
            if std::mem::replace(&mut open.has_entries, true) {
                if character != ',' {
                    let wanted = format!("was expecting comma to separate {kind} entries");
                    return Err(self.unexpected(start, character, &wanted));
                }
                let reason = format!("Unexpected end-of-input within/between {kind} entries");
                (start, character) = self.significant()?.ok_or_else(|| self.refuse(reason))?;
            }
        }
        if self.open.last().is_some_and(|open| !open.is_array) {
            return self.name(start, character);
        }
        let token = self.value(start, character)?;
        Ok(self.entered(token, start))
    }

    /// Opens what a token opens.
    fn entered(&mut self, token: Token, start: usize) -> Token {
        if matches!(token, Token::StartObject | Token::StartArray) {
            let is_array = token == Token::StartArray;
            self.open.push(Open { is_array, start, has_entries: false });
        }
        token
    }

    fn end(&self) -> Result<Token, PatternError> {
        let Some(open) = self.open.last() else { return Ok(Token::End) };
        Err(self.refuse(format!(
            "Unexpected end-of-input: expected close marker for {} (start marker at {})",
            open.kind(),
            place(self.source, open.start)
        )))
    }

    fn close(&mut self, character: char) -> Result<Token, PatternError> {
        match (self.open.pop(), character) {
            (Some(Open { is_array: true, .. }), ']') => Ok(Token::EndArray),
            (Some(Open { is_array: false, .. }), '}') => Ok(Token::EndObject),
            (open, _) => {
                let wanted = if character == ']' { '}' } else { ']' };
                let (kind, start) =
                    open.as_ref().map_or(("root", 0), |open| (open.kind(), open.start));
                let start = place(self.source, start);
                Err(self.refuse(format!(
                    "Unexpected close marker '{character}': expected '{wanted}' (for {kind} starting at {start})"
                )))
            }
        }
    }

    /// A name, its colon and the beginning of its value.
    fn name(&mut self, start: usize, character: char) -> Result<Token, PatternError> {
        if character != '"' {
            let wanted = "was expecting double-quote to start field name";
            return Err(self.unexpected(start, character, wanted));
        }
        let name = self.string("name", "Unexpected end-of-input in field name")?;
        let ended = "Unexpected end-of-input within/between Object entries";
        let (start, character) = self.significant()?.ok_or_else(|| self.refuse(ended))?;
        if character != ':' {
            let wanted = "was expecting a colon to separate field name and value";
            return Err(self.unexpected(start, character, wanted));
        }
        let (start, character) = self.significant()?.ok_or_else(|| self.refuse(ended))?;
        self.ahead = Some((self.value(start, character)?, start));
        Ok(Token::Name(name))
    }

    /// The value that begins with this character.
    fn value(&mut self, start: usize, character: char) -> Result<Token, PatternError> {
        match character {
            '"' => {
                self.in_text = true;
                Ok(Token::Text)
            }
            '{' => Ok(Token::StartObject),
            '[' => Ok(Token::StartArray),
            '}' => Err(self.unexpected(start, character, "expected a value")),
            '-' | '0'..='9' => self.number(start, character),
            _ if character.is_alphabetic() || matches!(character, '_' | '$') => self.word(start),
            _ => {
                let wanted = format!("expected a valid value {VALUES}");
                Err(self.unexpected(start, character, &wanted))
            }
        }
    }

    fn word(&mut self, start: usize) -> Result<Token, PatternError> {
        while let Some(character) = self.peek()
            && (character.is_alphanumeric() || matches!(character, '_' | '$'))
        {
            self.at += character.len_utf8();
        }
        let word = self.source.get(start..self.at).unwrap_or_default();
        match ["true", "false", "null"].into_iter().find(|known| *known == word) {
            Some(known) => Ok(Token::Word(known)),
            None => {
                Err(self.refuse(format!("Unrecognized token '{word}': was expecting {VALUES}")))
            }
        }
    }

    fn number(&mut self, start: usize, first: char) -> Result<Token, PatternError> {
        let mut first = first;
        if first == '-' {
            first =
                self.digit("expected digit (0-9) to follow minus sign, for valid numeric value")?;
        }
        if first == '0' && self.peek().is_some_and(|next| next.is_ascii_digit()) {
            return Err(self.refuse("Invalid numeric value: Leading zeroes not allowed"));
        }
        self.digits();
        if self.peek() == Some('.') {
            self.at += 1;
            self.digit("Decimal point not followed by a digit")?;
            self.digits();
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.digit("Exponent indicator not followed by a digit")?;
            self.digits();
        }
        Ok(Token::Number(self.source.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|next| next.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn digit(&mut self, wanted: &str) -> Result<char, PatternError> {
        let start = self.at;
        match self.take() {
            Some(digit) if digit.is_ascii_digit() => Ok(digit),
            Some(other) => Err(self.refuse_at(
                start,
                format!("Unexpected character ({}) in numeric value: {wanted}", described(other)),
            )),
            None => Err(self.refuse("Unexpected end-of-input in a Number value")),
        }
    }

    /// The string that [`Token::Text`] stands for.
    pub(crate) fn text(&mut self) -> Result<String, PatternError> {
        self.in_text = false;
        let ended = "Unexpected end-of-input: was expecting closing quote for a string value";
        self.string("string value", ended)
    }

    /// The rest of a string, behind its first quote.
    fn string(&mut self, what: &str, ended: &str) -> Result<String, PatternError> {
        let mut units = Vec::new();
        loop {
            let character = self.take().ok_or_else(|| self.refuse(ended))?;
            let character = match character {
                '"' => return Ok(String::from_utf16_lossy(&units)),
                '\\' => {
                    units.push(self.escaped(ended)?);
                    continue;
                }
                control if u32::from(control) < 0x20 => {
                    return Err(self.refuse(format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be included in {what}",
                        described(control)
                    )));
                }
                plain => plain,
            };
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }

    /// What stands behind a backslash, as a unit of UTF-16.
    fn escaped(&mut self, ended: &str) -> Result<u16, PatternError> {
        let character = self.take().ok_or_else(|| self.refuse(ended))?;
        let plain = match character {
            '"' | '\\' | '/' => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.hexadecimal(ended),
            other => {
                let reason = format!("Unrecognized character escape {}", described(other));
                return Err(self.refuse(reason));
            }
        };
        Ok(u16::try_from(u32::from(plain)).unwrap_or_default())
    }

    fn hexadecimal(&mut self, ended: &str) -> Result<u16, PatternError> {
        let mut unit = 0_u32;
        for _ in 0..4 {
            let character = self.take().ok_or_else(|| self.refuse(ended))?;
            let digit = character.to_digit(16).ok_or_else(|| {
                self.refuse(format!(
                    "Unexpected character ({}): expected a hex-digit for character escape sequence",
                    described(character)
                ))
            })?;
            unit = unit * 16 + digit;
        }
        Ok(u16::try_from(unit).unwrap_or_default())
    }

    fn unexpected(&self, offset: usize, character: char, wanted: &str) -> PatternError {
        let reason = format!("Unexpected character ({}): {wanted}", described(character));
        self.refuse_at(offset, reason)
    }

    /// The next character that is no white space, and its offset.
    fn significant(&mut self) -> Result<Option<(usize, char)>, PatternError> {
        loop {
            let start = self.at;
            match self.take() {
                Some(' ' | '\t' | '\n' | '\r') => {}
                Some(control) if u32::from(control) < 0x20 => {
                    return Err(self.refuse(format!(
                        "Illegal character ({}): only regular white space (\\r, \\n, \\t) is allowed between tokens",
                        described(control)
                    )));
                }
                other => return Ok(other.map(|character| (start, character))),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.source.get(self.at..)?.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        let mut reader = Reader::new(text);
        let mut all = Vec::new();
        loop {
            let token = reader.next().unwrap();
            if token == Token::End {
                return all;
            }
            all.push(token);
        }
    }

    #[test]
    fn a_text_is_read_token_by_token() {
        let name = |text: &str| Token::Name(text.to_owned());
        let number = |text: &str| Token::Number(text.to_owned());
        assert_eq!(
            tokens(" {\"a\": [1, -2.5e+3,\ttrue, null, \"x\"], \"\\u00e9\\n\" : {} } "),
            [
                Token::StartObject,
                name("a"),
                Token::StartArray,
                number("1"),
                number("-2.5e+3"),
                Token::Word("true"),
                Token::Word("null"),
                Token::Text,
                Token::EndArray,
                name("é\n"),
                Token::StartObject,
                Token::EndObject,
                Token::EndObject,
            ]
        );
    }

    #[test]
    fn strings_are_what_serde_json_reads() {
        for text in [r#""""#, r#""a\"b\\\/\b\f\n\r\t""#, r#""😀 é""#] {
            let mut reader = Reader::new(text);
            assert_eq!(reader.next(), Ok(Token::Text));
            assert_eq!(reader.text().unwrap(), serde_json::from_str::<String>(text).unwrap());
        }
    }
}
