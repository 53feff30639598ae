//! What a request is asked about: condition keys and their values.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Supplies the values of condition keys ("The request context").
///
/// Only the server implements this, from what it has verified; nothing in it comes from a caller
/// unchecked.
pub trait Context {
    /// The values of a condition key, or `None` if the request has no such key.
    ///
    /// `key` is in lower case, suffix and all (`aws:principaltag/team`): names of condition keys,
    /// and the tag keys in them, are compared without regard to case. An empty list counts as a
    /// key that is absent.
    fn values(&self, key: &str) -> Option<Values<'_>>;

    /// Names of keys that the context may have and that no table lists, such as those of tags: so
    /// that a denial can be recorded with them. Decisions never ask.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the resource belongs to a service, as AWS managed keys do: resource control policies
    /// leave such ones alone.
    fn is_of_service(&self) -> bool {
        false
    }
}

/// The values of one condition key, borrowed where possible.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// A key that has one value.
    One(Cow<'a, str>),
    /// A key that may have many (`aws:TagKeys`).
    Many(Cow<'a, [String]>),
    /// As `Many`, for a caller that has string slices.
    Slices(&'a [&'a str]),
}

impl<'a> Values<'a> {
    /// One borrowed value.
    #[must_use]
    pub fn one(value: &'a str) -> Self {
        Self::One(Cow::Borrowed(value))
    }

    /// One value made for this request, such as a time or a number.
    #[must_use]
    pub fn owned(value: impl Into<String>) -> Self {
        Self::One(Cow::Owned(value.into()))
    }

    /// Many borrowed values.
    #[must_use]
    pub fn many(values: &'a [String]) -> Self {
        Self::Many(Cow::Borrowed(values))
    }

    /// How many values the key has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(values) => values.len(),
            Self::Slices(values) => values.len(),
        }
    }

    /// Whether the key has no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a position.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&str> {
        match self {
            Self::One(value) => (index == 0).then_some(value),
            Self::Many(values) => values.get(index).map(String::as_str),
            Self::Slices(values) => values.get(index).copied(),
        }
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.at(index))
    }
}

/// A context held in a map: for tests, simulation and small services.
#[derive(Clone, Debug, Default)]
pub struct ContextMap {
    keys: BTreeMap<String, Vec<String>>,
}

impl ContextMap {
    /// A context without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context with one more key of one value; replaces the key if it is there.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.insert(key, vec![value.into()]);
        self
    }

    /// Sets a key, whose case does not matter, to its values.
    pub fn insert(&mut self, key: &str, values: Vec<String>) {
        self.keys.insert(key.to_lowercase(), values);
    }
}

impl Context for ContextMap {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        self.keys.get(key).map(|values| Values::many(values))
    }

    fn names(&self) -> Vec<String> {
        self.keys.keys().cloned().collect()
    }
}
