//! Events as patterns see them: `{"a.b": 1}` and `{"a": {"b": 1}}` are the same.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// An event that is ready to be looked at by many patterns.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a>(pub(crate) Cow<'a, Value>);

impl<'a> Event<'a> {
    /// Takes an event.
    pub fn new(event: &'a Value) -> Event<'a> {
        match event {
            Value::Object(object) if has_dots(object) => {
                Event(Cow::Owned(Value::Object(unfolded(object).into_owned())))
            }
            plain => Event(Cow::Borrowed(plain)),
        }
    }
}

fn has_dots(object: &Map<String, Value>) -> bool {
    object.iter().any(|(name, value)| name.contains('.') || is_dotted(value))
}

fn is_dotted(value: &Value) -> bool {
    match value {
        Value::Object(object) => has_dots(object),
        Value::Array(values) => values.iter().any(is_dotted),
        _ => false,
    }
}

/// An object in which no name has a dot, but for those that lead nowhere.
pub(crate) fn unfolded(object: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    if !has_dots(object) {
        return Cow::Borrowed(object);
    }
    let mut out = Map::new();
    for (name, value) in object {
        let value = unfolded_value(value);
        match name.split_once('.') {
            Some((first, rest)) if !first.is_empty() && !rest.is_empty() => {
                let inner = Map::from_iter([(rest.to_owned(), value)]);
                let inner = Value::Object(unfolded(&inner).into_owned());
                lay(&mut out, first, inner);
            }
            _ => lay(&mut out, name, value),
        }
    }
    Cow::Owned(out)
}

fn unfolded_value(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(unfolded(object).into_owned()),
        Value::Array(values) => values.iter().map(unfolded_value).collect(),
        scalar => scalar.clone(),
    }
}

/// Puts a value under a name; two objects become one.
fn lay(object: &mut Map<String, Value>, name: &str, value: Value) {
    match (object.get_mut(name), value) {
        (Some(Value::Object(there)), Value::Object(more)) => {
            more.into_iter().for_each(|(name, value)| lay(there, &name, value));
        }
        (_, value) => drop(object.insert(name.to_owned(), value)),
    }
}
