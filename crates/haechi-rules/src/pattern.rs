//! Patterns: fields, `$or`, and how they meet arrays.

use serde_json::{Map, Value};

use crate::PatternError;
use crate::condition::Condition;
use crate::event::{Event, steps};
use crate::expression::conditions;
use crate::reader::{Reader, Token};

/// How deep patterns nest at the most; deeper ones are refused, so that matching one is bounded.
const DEPTH_MAX: usize = 50;

/// Names that no field within `$or` can have: Event Ruler keeps them for itself.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Fields);

/// All of these fields, and of each group of alternatives one.
#[derive(Debug, Clone, Default, PartialEq)]
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
        let mut reader = Reader::new(text);
        if reader.next()? != Token::StartObject {
            return Err(reader.refuse("Filter is not an object"));
        }
        let fields = Fields::read(&mut reader, 0, false)?;
        match reader.next()? {
            Token::End => Ok(Pattern(fields)),
            _ => Err(reader.refuse("Nothing may follow the pattern")),
        }
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// The reason why it is none.
    pub fn from_json(value: &Value) -> Result<Pattern, PatternError> {
        Pattern::parse(&value.to_string())
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
    /// Reads an object behind its brace.
    fn read(
        reader: &mut Reader<'_>,
        depth: usize,
        is_alternative: bool,
    ) -> Result<Fields, PatternError> {
        if depth > DEPTH_MAX {
            return Err(reader.refuse("The pattern is nested too deeply"));
        }
        let (mut out, mut is_empty) = (Fields::default(), true);
        while let Token::Name(name) = reader.next()? {
            is_empty = false;
            if name == "$or" {
                out.groups.push(alternatives(reader, depth + 1)?);
                continue;
            }
            if is_alternative && RESERVED.contains(&name.as_str()) {
                return Err(reader.refuse(format!(
                    "{name} is Ruler reserved fieldName which cannot be used inside $or."
                )));
            }
            let wanted = match reader.next()? {
                Token::StartObject => {
                    Wanted::Object(Fields::read(reader, depth + 1, is_alternative)?)
                }
                Token::StartArray => Wanted::OneOf(conditions(reader)?),
                _ => {
                    return Err(reader.refuse(format!("\"{name}\" must be an object or an array")));
                }
            };
            out.lay(&steps(&name), wanted);
        }
        if is_empty { Err(reader.refuse("Empty objects are not allowed")) } else { Ok(out) }
    }

    /// Whether nothing is wanted but that fields are not there.
    fn want_absence_alone(&self) -> bool {
        let is_absence = |wanted: &Wanted| match wanted {
            Wanted::OneOf(conditions) => {
                conditions.iter().all(|one| *one == Condition::Exists(false))
            }
            Wanted::Object(fields) => fields.want_absence_alone(),
        };
        self.groups.is_empty() && self.fields.iter().all(|(_, wanted)| is_absence(wanted))
    }

    /// Puts what a field must hold under its name: objects become one, and of conditions the last
    /// ones count.
    fn lay(&mut self, steps: &[&str], wanted: Wanted) {
        let Some((name, rest)) = steps.split_first() else { return };
        let wanted = if rest.is_empty() {
            wanted
        } else {
            let mut inner = Fields::default();
            inner.lay(rest, wanted);
            Wanted::Object(inner)
        };
        let is_object = matches!(wanted, Wanted::Object(_));
        let same = |(other, there): &&mut (String, Wanted)| {
            other == name && matches!(there, Wanted::Object(_)) == is_object
        };
        match (self.fields.iter_mut().find(same), wanted) {
            (Some((_, Wanted::Object(there))), Wanted::Object(more)) => {
                more.fields.into_iter().for_each(|(name, wanted)| there.lay(&[&name], wanted));
                there.groups.extend(more.groups);
            }
            (Some((_, there)), wanted) => *there = wanted,
            (None, wanted) => self.fields.push(((*name).to_owned(), wanted)),
        }
    }

    /// Whether an object has what is wanted; `None` is an object that is not there.
    fn match_object(&self, object: Option<&Map<String, Value>>) -> bool {
        self.fields
            .iter()
            .all(|(name, wanted)| wanted.met_by(object.and_then(|object| object.get(name))))
            && self.groups.iter().all(|group| group.iter().any(|one| one.match_object(object)))
    }
}

/// The objects of an `$or`, whose name is read.
fn alternatives(reader: &mut Reader<'_>, depth: usize) -> Result<Vec<Fields>, PatternError> {
    if reader.next()? != Token::StartArray {
        return Err(reader.refuse("It must be an Array followed with $or."));
    }
    let mut all = Vec::new();
    loop {
        match reader.next()? {
            Token::StartObject => all.push(Fields::read(reader, depth, true)?),
            Token::EndArray if all.len() < 2 => {
                return Err(
                    reader.refuse("There must have at least 2 Objects in $or relationship.")
                );
            }
            Token::EndArray => return Ok(all),
            _ => {
                return Err(
                    reader.refuse("Only JSON object is allowed in array of $or relationship.")
                );
            }
        }
    }
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
                let mut matched = objects.iter().map(|object| fields.match_object(Some(object)));
                if objects.len() > 1 && fields.want_absence_alone() {
                    // What must not be there must be in no element.
                    matched.all(|matched| matched)
                } else {
                    matched.any(|matched| matched)
                }
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
