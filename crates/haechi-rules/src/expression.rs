//! Conditions as patterns write them: `"a"`, `{"prefix": "a"}`, `{"anything-but": [1, 2]}`.
//!
//! In the order, and so with the reasons and places, of Event Ruler's parser.

use serde_json::Value;

use crate::PatternError;
use crate::condition::{Condition, Range, Text};
use crate::network::Network;
use crate::reader::{Reader, Token};
use crate::wildcard::Wildcard;

const ONE_KEY: &str = "Only one key allowed in match expression";
const TOO_MANY: &str = "Too many elements in numeric expression";
const EMPTY: &str = "Empty arrays are not allowed";
const ANYTHING_BUT: &str = "Value of anything-but must be an array or single string/number value.";

/// The conditions of a field's array, behind its bracket.
pub(crate) fn conditions(reader: &mut Reader<'_>) -> Result<Vec<Condition>, PatternError> {
    let mut conditions = Vec::new();
    loop {
        conditions.push(match reader.next()? {
            Token::EndArray if conditions.is_empty() => return Err(reader.refuse(EMPTY)),
            Token::EndArray => return Ok(conditions),
            Token::StartObject => expression(reader)?,
            Token::Text => Condition::Equals(reader.text()?.into()),
            Token::Number(text) => Condition::Equals(number(reader, &text)?),
            Token::Word(word) => Condition::Equals(value(word)),
            _ => {
                let reason = "Match value must be String, number, true, false, or null";
                return Err(reader.refuse(reason));
            }
        });
    }
}

fn value(word: &str) -> Value {
    match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::Null,
    }
}

/// A number, unless it is too great for any event to hold.
fn number(reader: &Reader<'_>, text: &str) -> Result<Value, PatternError> {
    serde_json::from_str(text)
        .map_err(|_| reader.refuse(format!("Numeric value ({text}) out of range")))
}

/// A condition in braces, behind the first.
fn expression(reader: &mut Reader<'_>) -> Result<Condition, PatternError> {
    let Token::Name(name) = reader.next()? else {
        return Err(reader.refuse("Match expression name not found"));
    };
    let (condition, end) = match name.as_str() {
        "exactly" => (Condition::Equals(wanted_text(reader, "exact")?.into()), ONE_KEY),
        "prefix" | "suffix" => (Condition::Text(affix(reader, &name)?), ONE_KEY),
        "equals-ignore-case" => {
            let text = wanted_text(reader, &name)?.to_lowercase();
            (Condition::Text(Text::IgnoreCase(text)), ONE_KEY)
        }
        "wildcard" => {
            let text = wanted_text(reader, &name)?;
            (Condition::Text(Text::Wildcard(wildcard(reader, &text)?)), ONE_KEY)
        }
        "numeric" => (numeric(reader)?, TOO_MANY),
        // Event Ruler says `prefix` here.
        "cidr" => (Condition::Network(Network::parse(&wanted_text(reader, "prefix")?)?), ONE_KEY),
        "exists" => (exists(reader)?, ONE_KEY),
        "anything-but" => (Condition::AnythingBut(anything_but(reader)?), TOO_MANY),
        other => return Err(reader.refuse(format!("Unrecognized match type {other}"))),
    };
    close(reader, end)?;
    Ok(condition)
}

/// The end of an object that holds no more.
fn close(reader: &mut Reader<'_>, otherwise: &str) -> Result<(), PatternError> {
    match reader.next()? {
        Token::EndObject => Ok(()),
        _ => Err(reader.refuse(otherwise)),
    }
}

fn wanted_text(reader: &mut Reader<'_>, kind: &str) -> Result<String, PatternError> {
    match reader.next()? {
        Token::Text => reader.text(),
        _ => Err(reader.refuse(format!("{kind} match pattern must be a string"))),
    }
}

/// A wildcard's syntax is refused where it stands, its complexity without a place.
fn wildcard(reader: &Reader<'_>, text: &str) -> Result<Wildcard, PatternError> {
    let wildcard = Wildcard::parse(text).map_err(|reason| reader.refuse(reason))?;
    if wildcard.is_complex() {
        return Err(PatternError::new(Wildcard::COMPLEX));
    }
    Ok(wildcard)
}

/// The value of `prefix` or `suffix`: a string, or `{"equals-ignore-case": string}`.
fn affix(reader: &mut Reader<'_>, name: &str) -> Result<Text, PatternError> {
    let is_prefix = name == "prefix";
    match reader.next()? {
        Token::Text => {
            let text = reader.text()?;
            Ok(if is_prefix { Text::Prefix(text) } else { Text::Suffix(text) })
        }
        Token::StartObject => {
            let Token::Name(inner) = reader.next()? else {
                let kind = if is_prefix { "Prefix" } else { "Suffix" };
                return Err(reader.refuse(format!("{kind} expression name not found")));
            };
            if inner != "equals-ignore-case" {
                return Err(reader.refuse(format!("Unsupported {name} pattern: {inner}")));
            }
            let text = wanted_text(reader, "equals-ignore-case")?.to_lowercase();
            close(reader, ONE_KEY)?;
            Ok(if is_prefix { Text::PrefixIgnoreCase(text) } else { Text::SuffixIgnoreCase(text) })
        }
        _ => Err(reader.refuse(format!("{name} match pattern must be a string"))),
    }
}

fn exists(reader: &mut Reader<'_>) -> Result<Condition, PatternError> {
    match reader.next()? {
        Token::Word("true") => Ok(Condition::Exists(true)),
        Token::Word("false") => Ok(Condition::Exists(false)),
        _ => Err(reader.refuse("exists match pattern must be either true or false.")),
    }
}

/// What `anything-but` excludes, by forms of strings.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Prefix,
    Suffix,
    IgnoreCase,
    Wildcard,
}

impl Form {
    fn of(name: &str) -> Option<Form> {
        Some(match name {
            "prefix" => Form::Prefix,
            "suffix" => Form::Suffix,
            "equals-ignore-case" => Form::IgnoreCase,
            "wildcard" => Form::Wildcard,
            _ => return None,
        })
    }

    fn condition(self, reader: &Reader<'_>, text: String) -> Result<Condition, PatternError> {
        Ok(Condition::Text(match self {
            Form::Prefix | Form::Suffix if text.is_empty() => {
                return Err(reader.refuse("Null prefix/suffix not allowed"));
            }
            Form::Prefix => Text::Prefix(text),
            Form::Suffix => Text::Suffix(text),
            Form::IgnoreCase => Text::IgnoreCase(text.to_lowercase()),
            Form::Wildcard => Text::Wildcard(wildcard(reader, &text)?),
        }))
    }

    fn not_a_string(self) -> &'static str {
        match self {
            Form::Prefix | Form::Suffix => "prefix/suffix match pattern must be a string",
            Form::IgnoreCase => {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            }
            Form::Wildcard => "wildcard match pattern must be a string",
        }
    }
}

/// Values that a field must not have: strings or numbers, one or many, or one form of strings.
fn anything_but(reader: &mut Reader<'_>) -> Result<Vec<Condition>, PatternError> {
    let mut token = reader.next()?;
    let mut form = None;
    if token == Token::StartObject {
        let Token::Name(name) = reader.next()? else {
            return Err(reader.refuse("Anything-But expression name not found"));
        };
        form = Form::of(&name);
        if form.is_none() {
            return Err(reader.refuse(format!("Unsupported anything-but pattern: {name}")));
        }
        token = reader.next()?;
    }
    let excluded = match (token, form) {
        (Token::StartArray, None) => excluded_values(reader)?,
        (Token::StartArray, Some(form)) => excluded_forms(reader, form)?,
        (Token::Text, None) => vec![Condition::Equals(reader.text()?.into())],
        (Token::Text, Some(form)) => {
            let text = reader.text()?;
            vec![form.condition(reader, text)?]
        }
        (Token::Number(text), None) => vec![Condition::Equals(number(reader, &text)?)],
        (Token::Number(_), Some(form)) => return Err(reader.refuse(form.not_a_string())),
        _ => return Err(reader.refuse(ANYTHING_BUT)),
    };
    if form.is_some() {
        close(reader, TOO_MANY)?;
    }
    Ok(excluded)
}

fn excluded_values(reader: &mut Reader<'_>) -> Result<Vec<Condition>, PatternError> {
    let (mut excluded, mut numbers) = (Vec::new(), 0);
    loop {
        let value = match reader.next() {
            Ok(Token::EndArray) => break,
            Ok(Token::Text) => reader.text().map(Value::from),
            Ok(Token::Number(text)) => {
                numbers += 1;
                number(reader, &text)
            }
            Ok(_) => {
                let reason = "Inside anything but list, start|null|boolean is not supported.";
                Err(reader.refuse(reason))
            }
            Err(error) => Err(error),
        };
        excluded.push(Condition::Equals(value.map_err(|error| reader.told_again(error))?));
    }
    if excluded.is_empty() || (numbers != 0 && numbers != excluded.len()) {
        return Err(reader.refuse(
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ));
    }
    Ok(excluded)
}

fn excluded_forms(reader: &mut Reader<'_>, form: Form) -> Result<Vec<Condition>, PatternError> {
    let mut texts = Vec::new();
    loop {
        let text = match reader.next() {
            Ok(Token::EndArray) if texts.is_empty() => return Err(reader.refuse(EMPTY)),
            Ok(Token::EndArray) => break,
            Ok(Token::Text) => reader.text().and_then(|text| match form {
                // They are read when all are known.
                Form::Wildcard => Ok(text),
                _ => form.condition(reader, text.clone()).map(|_| text),
            }),
            Ok(_) => Err(reader.refuse(form.not_a_string())),
            Err(error) => Err(error),
        };
        texts.push(text.map_err(|error| reader.told_again(error))?);
    }
    texts.into_iter().map(|text| form.condition(reader, text)).collect()
}

/// `["=", 5]`, `[">", 0]`, `[">=", 0, "<", 10]`.
fn numeric(reader: &mut Reader<'_>) -> Result<Condition, PatternError> {
    if reader.next()? != Token::StartArray {
        return Err(reader.refuse("Value of numeric must be an array."));
    }
    let first = reader.next()?;
    let operator = told(reader, first, "Invalid member in numeric match")?;
    let token = reader.next()?;
    let name = match operator.as_str() {
        "=" => "equals",
        "<" | "<=" | ">" | ">=" => operator.as_str(),
        other => {
            return Err(reader.refuse(format!("Unrecognized numeric range operator: {other}")));
        }
    };
    let bound = bound(reader, token, name)?;
    let (value, end) = (Some((bound, operator != "<" && operator != ">")), reader.next()?);
    let is_bottom = operator.starts_with('>');
    let range = match operator.as_str() {
        "=" => Range { bottom: value, top: value },
        _ if is_bottom && end != Token::EndArray => {
            return Ok(Condition::Numeric(Range { bottom: value, top: top(reader, end, bound)? }));
        }
        _ if is_bottom => Range { bottom: value, top: None },
        _ => Range { bottom: None, top: value },
    };
    match end {
        Token::EndArray => Ok(Condition::Numeric(range)),
        _ => Err(reader.refuse(TOO_MANY)),
    }
}

/// The upper end of a range, whose first token is read.
fn top(
    reader: &mut Reader<'_>,
    first: Token,
    bottom: f64,
) -> Result<Option<(f64, bool)>, PatternError> {
    let operator = told(reader, first, "Bad value in numeric range")?;
    if !["<", "<="].contains(&operator.as_str()) {
        return Err(reader.refuse(format!("Bad numeric range operator: {operator}")));
    }
    let token = reader.next()?;
    let top = bound(reader, token, &operator)?;
    if reader.next()? != Token::EndArray {
        return Err(reader.refuse("Too many terms in numeric range expression"));
    }
    if top <= bottom {
        return Err(reader.refuse("Bottom must be less than top"));
    }
    Ok(Some((top, operator == "<=")))
}

/// An operator; anything else is told as it stands.
fn told(reader: &mut Reader<'_>, token: Token, otherwise: &str) -> Result<String, PatternError> {
    let shown = match token {
        Token::Text => return reader.text(),
        Token::Number(text) => text,
        Token::Word(word) => word.to_owned(),
        Token::Name(name) => name,
        Token::StartObject => "{".to_owned(),
        Token::EndObject => "}".to_owned(),
        Token::StartArray => "[".to_owned(),
        Token::EndArray => "]".to_owned(),
        Token::End => "null".to_owned(),
    };
    Err(reader.refuse(format!("{otherwise}: {shown}")))
}

fn bound(reader: &Reader<'_>, token: Token, name: &str) -> Result<f64, PatternError> {
    let value = match token {
        Token::Number(text) => number(reader, &text)?.as_f64(),
        _ => None,
    };
    value.ok_or_else(|| reader.refuse(format!("Value of {name} must be numeric")))
}
