//! One condition on one value.

use serde_json::Value;

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
    pub(crate) bottom: Option<(f64, bool)>,
    pub(crate) top: Option<(f64, bool)>,
}

impl Condition {
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
