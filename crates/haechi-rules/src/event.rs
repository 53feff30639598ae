//! Events as patterns see them: `{"a.b": 1}` and `{"a": {"b": 1}}` are the same.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Dots of a name that are unfolded, at most: a name with more stands for itself, so that a long one
/// nests no deeper than a stack holds.
const DOTS_MAX: usize = 8;

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

fn is_unfolded(name: &str) -> bool {
    name.bytes().filter(|byte| *byte == b'.').count() <= DOTS_MAX
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

/// The names that a name with dots leads through; one that leads nowhere stands for itself.
pub(crate) fn steps(name: &str) -> Vec<&str> {
    let (mut steps, mut rest) = (Vec::new(), name);
    while let Some((first, more)) = rest.split_once('.')
        && is_unfolded(name)
        && !first.is_empty()
        && !more.is_empty()
    {
        steps.push(first);
        rest = more;
    }
    steps.push(rest);
    steps
}

/// An object in which no name has a dot, but for those that lead nowhere.
fn unfolded(object: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    if !has_dots(object) {
        return Cow::Borrowed(object);
    }
    let mut out = Map::new();
    for (name, value) in object {
        let value = unfolded_value(value);
        match name.split_once('.').filter(|_| is_unfolded(name)) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_of_very_many_dots_stands_for_itself() {
        let long = "a.".repeat(100_000) + "a";
        let event = json!({ (long.clone()): 1, "b.c": 2 });
        let unfolded = Event::new(&event);
        assert_eq!(*unfolded.0, json!({ (long): 1, "b": {"c": 2} }));
        let deep = (0..120).fold(json!(1), |inner, _| json!({ "a.b.c.d.e.f.g.h.i": inner }));
        assert!(Event::new(&deep).0.is_object());
    }
}
