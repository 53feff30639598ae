//! AWS JSON 1.0 and 1.1: one JSON document each way.
//!
//! Blobs are base64, points in time are seconds since the epoch with a fraction. Unknown members
//! are skipped, null is absence. Parsing is [`jiter`]'s.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, NumberAny, NumberInt, Peek};

use crate::buffer::{put, put_byte, reserve};
use crate::schema::{Member, Schema};
use crate::{Malformed, Reader, Timestamp, Writer};

/// Reads a JSON body.
pub struct JsonReader<'a> {
    parser: Jiter<'a>,
    /// For each open collection, whether its first element is still to come.
    first: Vec<bool>,
}

impl<'a> JsonReader<'a> {
    /// Over this body; an empty one reads as `{}`, as AWS takes it.
    pub fn new(body: &'a [u8]) -> Self {
        let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
        JsonReader { parser: Jiter::new(body), first: Vec::new() }
    }

    /// Whether the element about to be read is its collection's first.
    fn take_first(&mut self) -> bool {
        self.first.last_mut().is_some_and(std::mem::take)
    }

    /// Passes over a value.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn skip(&mut self) -> Result<(), Malformed> {
        self.parser.next_skip().map_err(syntax)
    }

    fn wrong(&mut self, wanted: &str) -> Malformed {
        match self.parser.peek() {
            Ok(Peek::Array) => Malformed("Start of list found where not expected".to_owned()),
            Ok(Peek::Object) => {
                Malformed("Start of structure or map found where not expected.".to_owned())
            }
            Ok(peek) => Malformed(format!("{} can not be converted to {wanted}", token(peek))),
            Err(error) => syntax(error),
        }
    }
}

/// Names of tokens as AWS's messages show them.
fn token(peek: Peek) -> &'static str {
    match peek {
        Peek::String => "STRING_VALUE",
        Peek::True => "TRUE_VALUE",
        Peek::False => "FALSE_VALUE",
        Peek::Null => "NULL_VALUE",
        _ => "NUMBER_VALUE",
    }
}

fn syntax(error: JiterError) -> Malformed {
    match error.error_type {
        JiterErrorType::JsonError(JsonErrorType::RecursionLimitExceeded) => {
            Malformed("Nesting is too deep".to_owned())
        }
        other => Malformed(format!("Invalid JSON at byte {}: {other}", error.index)),
    }
}

impl Reader for JsonReader<'_> {
    fn null(&mut self) -> Result<bool, Malformed> {
        if self.parser.peek().map_err(syntax)? != Peek::Null {
            return Ok(false);
        }
        self.parser.known_null().map_err(syntax)?;
        Ok(true)
    }

    fn begin_structure(&mut self) -> Result<(), Malformed> {
        if self.parser.peek().map_err(syntax)? != Peek::Object {
            return Err(self.wrong("a structure"));
        }
        self.first.push(true);
        Ok(())
    }

    fn next_member(&mut self, members: &'static [Member]) -> Result<Option<usize>, Malformed> {
        loop {
            let first = self.take_first();
            let key = if first { self.parser.next_object() } else { self.parser.next_key() };
            let Some(key) = key.map_err(syntax)? else {
                self.first.pop();
                return Ok(None);
            };
            if let Some(index) = members.iter().position(|member| member.name == key) {
                return Ok(Some(index));
            }
            self.parser.next_skip().map_err(syntax)?;
        }
    }

    fn begin_list(&mut self, _: &'static Member) -> Result<(), Malformed> {
        if self.parser.peek().map_err(syntax)? != Peek::Array {
            return Err(self.wrong("a list"));
        }
        self.first.push(true);
        Ok(())
    }

    fn next_item(&mut self) -> Result<bool, Malformed> {
        let first = self.take_first();
        let next = if first { self.parser.next_array() } else { self.parser.array_step() };
        let more = next.map_err(syntax)?.is_some();
        if !more {
            self.first.pop();
        }
        Ok(more)
    }

    fn begin_map(&mut self) -> Result<(), Malformed> {
        self.begin_structure()
    }

    fn next_key(&mut self) -> Result<Option<String>, Malformed> {
        let first = self.take_first();
        let key = if first { self.parser.next_object() } else { self.parser.next_key() };
        let key = key.map_err(syntax)?.map(str::to_owned);
        if key.is_none() {
            self.first.pop();
        }
        Ok(key)
    }

    fn string(&mut self) -> Result<Cow<'_, str>, Malformed> {
        if self.parser.peek().map_err(syntax)? != Peek::String {
            return Err(self.wrong("a String"));
        }
        self.parser.known_str().map(Cow::Borrowed).map_err(syntax)
    }

    fn blob(&mut self) -> Result<Vec<u8>, Malformed> {
        if self.parser.peek().map_err(syntax)? != Peek::String {
            return Err(self.wrong("a Blob"));
        }
        let text = self.parser.known_str().map_err(syntax)?;
        STANDARD.decode(text).map_err(|_| Malformed("Invalid base64 in a blob".to_owned()))
    }

    fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.parser.peek().map_err(syntax)? {
            peek @ (Peek::True | Peek::False) => self.parser.known_bool(peek).map_err(syntax),
            _ => Err(self.wrong("a Boolean")),
        }
    }

    fn integer(&mut self) -> Result<i64, Malformed> {
        let peek = self.parser.peek().map_err(syntax)?;
        if !peek.is_num() {
            return Err(self.wrong("an Integer"));
        }
        match self.parser.known_number(peek).map_err(syntax)? {
            NumberAny::Int(NumberInt::Int(value)) => Ok(value),
            NumberAny::Int(NumberInt::BigInt(_)) => {
                Err(Malformed("The number does not fit a 64-bit integer".to_owned()))
            }
            // Some clients write whole numbers with a fraction of nought.
            #[expect(clippy::cast_possible_truncation, reason = "whole and bounded: checked")]
            NumberAny::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => {
                Ok(value as i64)
            }
            NumberAny::Float(_) => {
                Err(Malformed("NUMBER_VALUE can not be converted to an Integer".to_owned()))
            }
        }
    }

    fn double(&mut self) -> Result<f64, Malformed> {
        let peek = self.parser.peek().map_err(syntax)?;
        if !peek.is_num() {
            return Err(self.wrong("a Double"));
        }
        self.parser.known_float(peek).map_err(syntax)
    }

    fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        let peek = self.parser.peek().map_err(syntax)?;
        let parsed = if peek.is_num() {
            Timestamp::from_epoch(self.parser.known_float(peek).map_err(syntax)?)
        } else {
            Timestamp::parse(&self.string()?)
        };
        parsed.ok_or_else(|| Malformed("The value is not a point in time".to_owned()))
    }

    fn finish(&mut self) -> Result<(), Malformed> {
        self.parser.finish().map_err(syntax)
    }
}

/// Writes a JSON document.
#[derive(Default)]
pub struct JsonWriter {
    out: Vec<u8>,
}

impl JsonWriter {
    /// An empty document.
    pub fn new() -> Self {
        JsonWriter { out: Vec::with_capacity(512) }
    }

    /// A document inside another one, whose text up to here is `before`.
    pub(crate) fn after(before: Vec<u8>) -> Self {
        JsonWriter { out: before }
    }

    /// The finished document.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// A comma, unless at the start of a collection or after a key.
    fn separate(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            put_byte(&mut self.out, b',');
        }
    }
}

/// Whether a byte may not stand for itself in a JSON string.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether one of `bytes` is special: eight at a time, for most strings are short and need no escape.
fn has_special(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    // Whether a byte of the word is below `limit`, which is 128 at the most: "Bit Twiddling Hacks".
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let special = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        below(word, 0x20) | equal(b'"') | equal(b'\\')
    };
    // What is left over is looked at together with bytes before it.
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().any(|byte| is_special(*byte));
    };
    let (words, _) = bytes.as_chunks();
    words.iter().fold(special(last), |found, word| found | special(word)) != 0
}

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    reserve(out, bytes.len() + 2);
    out.push(b'"');
    if !has_special(bytes) {
        out.extend_from_slice(bytes);
        return out.push(b'"');
    }
    let mut copied = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if !is_special(*byte) {
            continue;
        }
        put(out, bytes.get(copied..index).unwrap_or_default());
        copied = index + 1;
        match byte {
            b'"' => put(out, b"\\\""),
            b'\\' => put(out, b"\\\\"),
            b'\n' => put(out, b"\\n"),
            b'\r' => put(out, b"\\r"),
            b'\t' => put(out, b"\\t"),
            other => put(out, format!("\\u{other:04x}").as_bytes()),
        }
    }
    put(out, bytes.get(copied..).unwrap_or_default());
    put_byte(out, b'"');
}

/// The last decimal digit of a number.
fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value % 10).unwrap_or_default()
}

/// Appends a whole number. By hand: formatting takes as long as all the rest of a small answer.
fn push_integer(out: &mut Vec<u8>, value: i64) {
    // As many as the least number has digits.
    let (mut digits, mut first, mut rest) = ([b'0'; 19], 19, value.unsigned_abs());
    for place in digits.iter_mut().rev() {
        *place = digit(rest);
        first -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        put_byte(out, b'-');
    }
    put(out, digits.get(first..).unwrap_or_default());
}

impl Writer for JsonWriter {
    fn begin_structure(&mut self) {
        put_byte(&mut self.out, b'{');
    }

    fn member(&mut self, member: &'static Member) {
        self.separate();
        // Names in models are plain: nothing in them needs escaping.
        put_byte(&mut self.out, b'"');
        put(&mut self.out, member.name.as_bytes());
        put(&mut self.out, b"\":");
    }

    fn end_structure(&mut self) {
        put_byte(&mut self.out, b'}');
    }

    fn begin_list(&mut self, _: &'static Member) {
        put_byte(&mut self.out, b'[');
    }

    fn item(&mut self) {
        self.separate();
    }

    fn end_list(&mut self) {
        put_byte(&mut self.out, b']');
    }

    fn begin_map(&mut self) {
        put_byte(&mut self.out, b'{');
    }

    fn key(&mut self, key: &str) {
        self.separate();
        push_string(&mut self.out, key);
        put_byte(&mut self.out, b':');
    }

    fn end_map(&mut self) {
        put_byte(&mut self.out, b'}');
    }

    fn string(&mut self, value: &str, _: &'static Schema) {
        push_string(&mut self.out, value);
    }

    fn blob(&mut self, value: &[u8], _: &'static Schema) {
        // No intermediate string: the space is sized for exactly this value, so that encoding
        // into it cannot fail.
        let encoded = value.len().div_ceil(3) * 4;
        reserve(&mut self.out, encoded + 2);
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + encoded, b'=');
        if let Some(space) = self.out.get_mut(start..) {
            let _ = STANDARD.encode_slice(value, space);
        }
        self.out.push(b'"');
    }

    fn boolean(&mut self, value: bool) {
        put(&mut self.out, if value { b"true" } else { b"false" });
    }

    fn integer(&mut self, value: i64) {
        push_integer(&mut self.out, value);
    }

    fn double(&mut self, value: f64) {
        if value.is_finite() {
            put(&mut self.out, value.to_string().as_bytes());
        } else {
            push_string(&mut self.out, if value.is_nan() { "NaN" } else { "Infinity" });
        }
    }

    fn timestamp(&mut self, value: Timestamp) {
        let (seconds, mut millis) = (value.seconds(), value.millis().rem_euclid(1000));
        push_integer(&mut self.out, seconds);
        if millis != 0 {
            put_byte(&mut self.out, b'.');
            for _ in 0..3 {
                put_byte(&mut self.out, digit(millis.unsigned_abs() / 100));
                millis = millis % 100 * 10;
            }
        }
    }
}

#[cfg(test)]
mod tests;
