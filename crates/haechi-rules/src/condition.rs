//! One condition on one value.

use serde_json::{Map, Value};

use crate::PatternError;
use crate::network::Network;
use crate::wildcard::Wildcard;

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// This very string, number, boolean or null. Numbers are compared as numbers.
    Equals(Value),
    /// A string of this form.
    Text(Text),
    /// A number in this range.
    Numeric(Range),
    /// An address in this block.
    Network(Network),
    /// Whether the field is there.
    Exists(bool),
    /// There, and none of these.
    AnythingBut(Vec<Condition>),
}

/// Forms of strings.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    /// Begins so.
    Prefix(String),
    /// Begins so, in any case of letters.
    PrefixIgnoreCase(String),
    /// Ends so.
    Suffix(String),
    /// Ends so, in any case of letters.
    SuffixIgnoreCase(String),
    /// Equal but for the case of letters.
    IgnoreCase(String),
    /// With `*`.
    Wildcard(Wildcard),
}

/// Numbers between bounds; a bound says whether itself belongs to the range.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    bottom: Option<(f64, bool)>,
    top: Option<(f64, bool)>,
}

impl Condition {
    /// Reads an element of a field's array.
    ///
    /// # Errors
    /// The reason why it is none.
    pub fn parse(value: &Value) -> Result<Condition, PatternError> {
        match value {
            Value::Object(fields) => expression(fields),
            Value::Array(_) => {
                Err(PatternError::new("Match value must be String, number, true, false, or null"))
            }
            scalar => Ok(Condition::Equals(scalar.clone())),
        }
    }

    /// Whether it holds for a value that is there.
    pub fn holds(&self, value: &Value) -> bool {
        match self {
            Condition::Equals(wanted) => equal(wanted, value),
            Condition::Text(form) => value.as_str().is_some_and(|text| form.fits(text)),
            Condition::Numeric(range) => {
                value.as_f64().is_some_and(|number| range.contains(number))
            }
            Condition::Network(network) => {
                value.as_str().is_some_and(|text| network.contains(text))
            }
            Condition::Exists(wanted) => *wanted,
            Condition::AnythingBut(excluded) => !excluded.iter().any(|one| one.holds(value)),
        }
    }

    /// Whether it holds where there is no value.
    pub fn holds_without(&self) -> bool {
        matches!(self, Condition::Exists(false))
    }
}

fn equal(wanted: &Value, value: &Value) -> bool {
    match (wanted.as_f64(), value.as_f64()) {
        (Some(wanted_number), Some(number)) => wanted_number == number,
        _ => wanted == value,
    }
}

impl Text {
    fn fits(&self, text: &str) -> bool {
        match self {
            Text::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Text::PrefixIgnoreCase(prefix) => text.to_lowercase().starts_with(prefix.as_str()),
            Text::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Text::SuffixIgnoreCase(suffix) => text.to_lowercase().ends_with(suffix.as_str()),
            Text::IgnoreCase(wanted) => text.to_lowercase() == *wanted,
            Text::Wildcard(wildcard) => wildcard.matches(text),
        }
    }
}

impl Range {
    fn contains(&self, number: f64) -> bool {
        let above = |(bottom, within): (f64, bool)| number > bottom || (within && number == bottom);
        let below = |(top, within): (f64, bool)| number < top || (within && number == top);
        self.bottom.is_none_or(above) && self.top.is_none_or(below)
    }
}

/// `{"prefix": "a"}` and its like.
fn expression(fields: &Map<String, Value>) -> Result<Condition, PatternError> {
    let mut fields = fields.iter();
    let Some((name, value)) = fields.next() else {
        return Err(PatternError::new("Match expression name not found"));
    };
    if fields.next().is_some() {
        return Err(PatternError::new("Only one key allowed in match expression"));
    }
    match name.as_str() {
        "exactly" => match value {
            Value::String(_) => Ok(Condition::Equals(value.clone())),
            _ => Err(PatternError::new("exact match pattern must be a string")),
        },
        "prefix" | "suffix" => affix(name, value).map(Condition::Text),
        "equals-ignore-case" | "wildcard" => text(name, value).map(Condition::Text),
        "numeric" => numeric(value),
        "cidr" => match value {
            Value::String(block) => Network::parse(block).map(Condition::Network),
            _ => Err(PatternError::new("prefix match pattern must be a string")),
        },
        "exists" => match value {
            Value::Bool(wanted) => Ok(Condition::Exists(*wanted)),
            _ => Err(PatternError::new("exists match pattern must be either true or false.")),
        },
        "anything-but" => anything_but(value).map(Condition::AnythingBut),
        other => Err(PatternError::new(format!("Unrecognized match type {other}"))),
    }
}

/// The value of `prefix` or `suffix`: a string, or `{"equals-ignore-case": string}`.
fn affix(name: &str, value: &Value) -> Result<Text, PatternError> {
    let refused = || PatternError::new(format!("{name} match pattern must be a string"));
    let (text, ignore_case) = match value {
        Value::String(text) => (text, false),
        Value::Object(fields) if fields.len() == 1 => {
            let text = fields.get("equals-ignore-case").and_then(Value::as_str);
            (&text.ok_or_else(refused)?.to_lowercase(), true)
        }
        _ => return Err(refused()),
    };
    let text = text.clone();
    Ok(match (name, ignore_case) {
        ("prefix", false) => Text::Prefix(text),
        ("prefix", true) => Text::PrefixIgnoreCase(text),
        (_, false) => Text::Suffix(text),
        (_, true) => Text::SuffixIgnoreCase(text),
    })
}

fn text(name: &str, value: &Value) -> Result<Text, PatternError> {
    let Value::String(text) = value else {
        return Err(PatternError::new(format!("{name} match pattern must be a string")));
    };
    Ok(match name {
        "wildcard" => Text::Wildcard(Wildcard::parse(text)?),
        _ => Text::IgnoreCase(text.to_lowercase()),
    })
}

const ANYTHING_BUT: &str = "Value of anything-but must be an array or single string/number value.";

/// Values that a field must not have: strings or numbers, one or many, or one form of strings.
fn anything_but(value: &Value) -> Result<Vec<Condition>, PatternError> {
    let Value::Object(fields) = value else { return excluded_values(value) };
    let mut fields = fields.iter();
    let Some((name, forms)) = fields.next() else {
        return Err(PatternError::new("Anything-But expression name not found"));
    };
    if fields.next().is_some() {
        return Err(PatternError::new("Only one key allowed in match expression"));
    }
    if !["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&name.as_str()) {
        return Err(PatternError::new(format!("Unsupported anything-but pattern: {name}")));
    }
    if forms.is_object() && name != "wildcard" {
        return Err(PatternError::new(ANYTHING_BUT));
    }
    let forms = forms.as_array().map_or(std::slice::from_ref(forms), Vec::as_slice);
    if forms.is_empty() {
        return Err(PatternError::new("Empty arrays are not allowed"));
    }
    let form = |form: &Value| match (name.as_str(), form.as_str()) {
        ("prefix" | "suffix", Some("")) => Err(PatternError::new("Null prefix/suffix not allowed")),
        ("prefix" | "suffix", None) => {
            Err(PatternError::new("prefix/suffix match pattern must be a string"))
        }
        ("equals-ignore-case", None) => Err(PatternError::new(
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        )),
        ("prefix" | "suffix", _) => affix(name, form).map(Condition::Text),
        _ => text(name, form).map(Condition::Text),
    };
    forms.iter().map(form).collect()
}

fn excluded_values(value: &Value) -> Result<Vec<Condition>, PatternError> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        Value::String(_) | Value::Number(_) => std::slice::from_ref(value),
        _ => {
            return Err(PatternError::new(ANYTHING_BUT));
        }
    };
    if !values.iter().all(|value| value.is_string() || value.is_number()) {
        return Err(PatternError::new(
            "Inside anything but list, start|null|boolean is not supported.",
        ));
    }
    let numbers = values.iter().filter(|value| value.is_number()).count();
    if values.is_empty() || (numbers != 0 && numbers != values.len()) {
        return Err(PatternError::new(
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ));
    }
    Ok(values.iter().cloned().map(Condition::Equals).collect())
}

/// `["=", 5]`, `[">", 0]`, `[">=", 0, "<", 10]`.
fn numeric(value: &Value) -> Result<Condition, PatternError> {
    let Value::Array(terms) = value else {
        return Err(PatternError::new("Value of numeric must be an array."));
    };
    let mut terms = terms.iter();
    let operator = match terms.next() {
        Some(Value::String(operator)) => operator.as_str(),
        Some(other) => {
            return Err(PatternError::new(format!("Invalid member in numeric match: {other}")));
        }
        None => return Err(PatternError::new("Invalid member in numeric match: ]")),
    };
    if !["=", "<", "<=", ">", ">="].contains(&operator) {
        return Err(PatternError::new(format!("Unrecognized numeric range operator: {operator}")));
    }
    let number = bound(operator, terms.next())?;
    let mut range = Range { bottom: None, top: None };
    match operator {
        "=" => range = Range { bottom: Some((number, true)), top: Some((number, true)) },
        "<" | "<=" => range.top = Some((number, operator == "<=")),
        _ => {
            range.bottom = Some((number, operator == ">="));
            range.top = top(number, &mut terms)?;
        }
    }
    if terms.next().is_some() {
        return Err(PatternError::new("Too many elements in numeric expression"));
    }
    Ok(Condition::Numeric(range))
}

/// What ends a range that begins behind `bottom`, if anything does.
fn top<'a>(
    bottom: f64,
    terms: &mut impl Iterator<Item = &'a Value>,
) -> Result<Option<(f64, bool)>, PatternError> {
    let operator = match terms.next() {
        None => return Ok(None),
        Some(Value::String(operator)) => operator.as_str(),
        Some(other) => {
            return Err(PatternError::new(format!("Bad value in numeric range: {other}")));
        }
    };
    if !["<", "<="].contains(&operator) {
        return Err(PatternError::new(format!("Bad numeric range operator: {operator}")));
    }
    let top = bound(operator, terms.next())?;
    if top <= bottom {
        return Err(PatternError::new("Bottom must be less than top"));
    }
    if terms.next().is_some() {
        return Err(PatternError::new("Too many terms in numeric range expression"));
    }
    Ok(Some((top, operator == "<=")))
}

/// The number behind an operator.
fn bound(operator: &str, number: Option<&Value>) -> Result<f64, PatternError> {
    let name = if operator == "=" { "equals" } else { operator };
    let number = number.and_then(Value::as_f64);
    number.ok_or_else(|| PatternError::new(format!("Value of {name} must be numeric")))
}
