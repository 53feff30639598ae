//! Patterns: fields, `$or`, and how they meet arrays.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::event::{Event, unfolded};

/// How deep patterns nest at the most; deeper ones are refused, so that matching one is bounded.
const DEPTH_MAX: usize = 50;

/// Why a text is no pattern, in the words of AWS's Event Ruler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PatternError {
    reason: Cow<'static, str>,
}

impl PatternError {
    pub(crate) fn new(reason: impl Into<Cow<'static, str>>) -> PatternError {
        PatternError { reason: reason.into() }
    }
}

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Fields);

/// All of these fields, and of each group of alternatives one.
#[derive(Debug, Clone, PartialEq)]
struct Fields {
    fields: Vec<(String, Wanted)>,
    groups: Vec<Vec<Fields>>,
}

/// What a field must hold.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    /// A value for which one of these conditions holds.
    OneOf(Vec<Condition>),
    /// An object with these fields.
    Object(Fields),
}

impl Pattern {
    /// Reads a pattern from JSON text.
    ///
    /// # Errors
    /// The reason why it is none.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| PatternError::new(format!("Invalid JSON: {error}")))?;
        Pattern::from_json(&value)
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// The reason why it is none.
    pub fn from_json(value: &Value) -> Result<Pattern, PatternError> {
        match value {
            Value::Object(object) => Ok(Pattern(Fields::parse(&unfolded(object), 0)?)),
            _ => Err(PatternError::new("Filter is not an object")),
        }
    }

    /// Whether it wants this event.
    pub fn matches(&self, event: &Value) -> bool {
        self.wants(&Event::new(event))
    }

    /// Whether it wants this event, which many patterns look at.
    pub fn wants(&self, event: &Event<'_>) -> bool {
        event.0.as_object().is_some_and(|object| self.0.match_object(Some(object)))
    }
}

impl Fields {
    fn parse(object: &Map<String, Value>, depth: usize) -> Result<Fields, PatternError> {
        if object.is_empty() {
            return Err(PatternError::new("Empty objects are not allowed"));
        }
        if depth > DEPTH_MAX {
            return Err(PatternError::new("The pattern is nested too deeply"));
        }
        let (mut fields, mut groups) = (Vec::new(), Vec::new());
        for (name, value) in object {
            match value {
                _ if name == "$or" => groups.push(alternatives(value, depth + 1)?),
                Value::Object(inner) => {
                    fields.push((name.clone(), Wanted::Object(Fields::parse(inner, depth + 1)?)));
                }
                Value::Array(conditions) if conditions.is_empty() => {
                    return Err(PatternError::new("Empty arrays are not allowed"));
                }
                Value::Array(conditions) => {
                    let conditions =
                        conditions.iter().map(Condition::parse).collect::<Result<_, _>>()?;
                    fields.push((name.clone(), Wanted::OneOf(conditions)));
                }
                _ => {
                    let reason = format!("\"{name}\" must be an object or an array");
                    return Err(PatternError::new(reason));
                }
            }
        }
        Ok(Fields { fields, groups })
    }

    /// Whether an object has what is wanted; `None` is an object that is not there.
    fn match_object(&self, object: Option<&Map<String, Value>>) -> bool {
        self.fields
            .iter()
            .all(|(name, wanted)| wanted.met_by(object.and_then(|object| object.get(name))))
            && self.groups.iter().all(|group| group.iter().any(|one| one.match_object(object)))
    }
}

/// The objects of an `$or`.
fn alternatives(value: &Value, depth: usize) -> Result<Vec<Fields>, PatternError> {
    let Value::Array(objects) = value else {
        return Err(PatternError::new("It must be an Array followed with $or."));
    };
    if objects.len() < 2 {
        return Err(PatternError::new("There must have at least 2 Objects in $or relationship."));
    }
    let one = |value: &Value| match value {
        Value::Object(object) => Fields::parse(object, depth),
        _ => Err(PatternError::new("Only JSON object is allowed in array of $or relationship.")),
    };
    objects.iter().map(one).collect()
}

impl Wanted {
    fn met_by(&self, value: Option<&Value>) -> bool {
        match self {
            Wanted::OneOf(conditions) => {
                let mut values = Vec::new();
                leaves(value, &mut values);
                if values.is_empty() {
                    return conditions.iter().any(Condition::holds_without);
                }
                values.iter().any(|value| conditions.iter().any(|one| one.holds(value)))
            }
            Wanted::Object(fields) => {
                let mut objects = Vec::new();
                elements(value, &mut objects);
                if objects.is_empty() {
                    return fields.match_object(None);
                }
                objects.into_iter().any(|object| fields.match_object(Some(object)))
            }
        }
    }
}

/// The values of a field: itself, or what its array, however nested, holds. Objects are none.
fn leaves<'a>(value: Option<&'a Value>, into: &mut Vec<&'a Value>) {
    match value {
        None | Some(Value::Object(_)) => {}
        Some(Value::Array(values)) => values.iter().for_each(|value| leaves(Some(value), into)),
        Some(value) => into.push(value),
    }
}

/// The objects of a field: itself, or those in its array, however nested.
fn elements<'a>(value: Option<&'a Value>, into: &mut Vec<&'a Map<String, Value>>) {
    match value {
        Some(Value::Object(object)) => into.push(object),
        Some(Value::Array(values)) => values.iter().for_each(|value| elements(Some(value), into)),
        _ => {}
    }
}
