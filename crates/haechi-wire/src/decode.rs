//! Reading: from a body, through a protocol's [`Reader`], into a shape, gathering every breach of
//! a constraint on the way.

use std::borrow::Cow;

use crate::Timestamp;
use crate::schema::{Kind, Member, Schema};
use crate::shape::Shape;
use crate::shown;
use crate::validate::{self, Violation};

/// Nested values deeper than this are refused; AWS's deepest real input (a WAF rule) needs 12.
pub const DEPTH_MAX: usize = 64;

/// Breaches gathered before reading stops; more would only lengthen the message.
const VIOLATIONS_MAX: usize = 32;

/// The body is not what the protocol asks for: AWS calls it a `SerializationException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// A pull parser over a request body, in one protocol.
///
/// Calls follow the schema: whoever reads a structure calls [`begin_structure`], then
/// [`next_member`] until it answers `None`, reading exactly one value after each `Some`.
///
/// [`begin_structure`]: Reader::begin_structure
/// [`next_member`]: Reader::next_member
pub trait Reader {
    /// Whether the value here is null; if so it is consumed.
    fn null(&mut self) -> Result<bool, Malformed>;
    /// Enters a structure.
    fn begin_structure(&mut self) -> Result<(), Malformed>;
    /// The index of the next member present, skipping what is not in `members`; `None` at the end.
    fn next_member(&mut self, members: &'static [Member]) -> Result<Option<usize>, Malformed>;
    /// Enters a list.
    fn begin_list(&mut self, item: &'static Member) -> Result<(), Malformed>;
    /// Whether another item follows.
    fn next_item(&mut self) -> Result<bool, Malformed>;
    /// Enters a map.
    fn begin_map(&mut self) -> Result<(), Malformed>;
    /// The next key; `None` at the end.
    fn next_key(&mut self) -> Result<Option<String>, Malformed>;
    /// Text.
    fn string(&mut self) -> Result<Cow<'_, str>, Malformed>;
    /// Bytes, decoded.
    fn blob(&mut self) -> Result<Vec<u8>, Malformed>;
    /// A truth value.
    fn boolean(&mut self) -> Result<bool, Malformed>;
    /// A whole number.
    fn integer(&mut self) -> Result<i64, Malformed>;
    /// A floating-point number.
    fn double(&mut self) -> Result<f64, Malformed>;
    /// A point in time.
    fn timestamp(&mut self) -> Result<Timestamp, Malformed>;
    /// Demands that nothing but white space follows.
    fn finish(&mut self) -> Result<(), Malformed>;
}

/// Why a request's input was refused.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The body cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It can, but breaks constraints of the model.
    #[error("{}", validate::message(.0))]
    Invalid(Vec<Violation>),
}

/// A step on the way to a value, for messages such as `tags.1.member.key`.
#[derive(Debug, Clone)]
enum Step {
    Member(&'static str),
    Item(usize),
    Key(String),
}

/// Reads shapes from a [`Reader`], checking constraints.
pub struct Decoder<'a> {
    reader: &'a mut dyn Reader,
    path: Vec<Step>,
    violations: Vec<Violation>,
    /// The innermost collection: breaches of its simple items are told once, of the collection as
    /// a whole, as AWS does.
    collection: Collection,
}

/// What is known of the collection of simple items that is being read.
#[derive(Default)]
struct Collection {
    simple: bool,
    breached: bool,
    /// Items that are not in their enumeration, by number: only here is their text kept.
    unknown: Vec<(usize, String)>,
}

impl Collection {
    fn shown<T: Shape>(&self, items: &[T], schema: &'static Schema) -> String {
        let shown: Vec<String> = items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let unknown = self.unknown.iter().find(|(number, _)| *number == index + 1);
                match (unknown, &schema.kind) {
                    (Some((_, text)), _) => text.clone(),
                    (None, Kind::Structure(_)) => shown::structure(item, schema),
                    (None, _) => item.describe(),
                }
            })
            .collect();
        quoted(&format!("[{}]", shown.join(", ")))
    }
}

/// Reads a whole input structure, or says why it cannot be accepted.
pub fn input<T: Shape>(reader: &mut dyn Reader, schema: &'static Schema) -> Result<T, InputError> {
    let mut decoder = Decoder {
        reader,
        path: Vec::new(),
        violations: Vec::new(),
        collection: Collection::default(),
    };
    let value = T::read(&mut decoder, schema)?;
    decoder.reader.finish()?;
    if decoder.violations.is_empty() {
        Ok(value)
    } else {
        Err(InputError::Invalid(decoder.violations))
    }
}

impl Decoder<'_> {
    /// The protocol's parser.
    pub fn reader(&mut self) -> &mut dyn Reader {
        self.reader
    }

    fn enter(&mut self, step: Step) -> Result<(), Malformed> {
        if self.path.len() >= DEPTH_MAX {
            return Err(Malformed(format!("Nesting is deeper than {DEPTH_MAX} levels")));
        }
        self.path.push(step);
        Ok(())
    }

    /// Reads the value of `member` into `slot`; null leaves it as it is.
    pub fn member<T: Shape>(
        &mut self,
        member: &'static Member,
        slot: &mut Option<T>,
    ) -> Result<(), Malformed> {
        if self.reader.null()? {
            return Ok(());
        }
        self.enter(Step::Member(member.name))?;
        *slot = Some(T::read(self, member.schema)?);
        self.path.pop();
        Ok(())
    }

    /// The value of a required member, or a violation and a stand-in that no handler will see.
    pub fn required<T: Shape + Default>(&mut self, member: &'static Member, slot: Option<T>) -> T {
        slot.unwrap_or_else(|| {
            self.path.push(Step::Member(member.name));
            self.violate("null".to_owned(), validate::NOT_NULL.to_owned());
            self.path.pop();
            T::default()
        })
    }

    /// Reads a list.
    pub fn list<T: Shape>(&mut self, schema: &'static Schema) -> Result<Vec<T>, Malformed> {
        let Kind::List(item) = schema.kind else {
            return Err(Malformed("Expected a list".to_owned()));
        };
        self.reader.begin_list(item)?;
        let outer = self.begin_collection(item.schema);
        let mut items = Vec::new();
        while self.reader.next_item()? {
            self.enter(Step::Item(items.len() + 1))?;
            items.push(T::read(self, item.schema)?);
            self.path.pop();
        }
        let inner = std::mem::replace(&mut self.collection, outer);
        if inner.breached {
            let constraint = validate::item_constraint("Member", item.schema);
            self.violate(inner.shown(&items, item.schema), constraint);
        }
        self.check_length(schema, items.len() as u64, || inner.shown(&items, item.schema));
        Ok(items)
    }

    /// Reads a map.
    pub fn map<V: Shape>(
        &mut self,
        schema: &'static Schema,
    ) -> Result<std::collections::BTreeMap<String, V>, Malformed> {
        let Kind::Map { key: key_schema, value: value_schema } = schema.kind else {
            return Err(Malformed("Expected a map".to_owned()));
        };
        self.reader.begin_map()?;
        let mut entries = std::collections::BTreeMap::new();
        let mut keys_breached = false;
        let outer = self.begin_collection(value_schema);
        while let Some(key) = self.reader.next_key()? {
            keys_breached |= !validate::admits_string(key_schema, &key);
            if self.reader.null()? {
                continue;
            }
            self.enter(Step::Key(key.clone()))?;
            let value = V::read(self, value_schema)?;
            self.path.pop();
            entries.insert(key, value);
        }
        let values_breached = std::mem::replace(&mut self.collection, outer).breached;
        let shown = || {
            if schema.sensitive {
                return String::new();
            }
            let shown: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}={}", value.describe())).collect();
            quoted(&format!("{{{}}}", shown.join(", ")))
        };
        if keys_breached {
            self.violate(shown(), validate::item_constraint("Map keys", key_schema));
        }
        if values_breached {
            self.violate(shown(), validate::item_constraint("Map value", value_schema));
        }
        self.check_length(schema, entries.len() as u64, shown);
        Ok(entries)
    }

    fn begin_collection(&mut self, item: &'static Schema) -> Collection {
        let inner = Collection { simple: item.is_simple(), ..Collection::default() };
        std::mem::replace(&mut self.collection, inner)
    }

    /// Checks a string's length and pattern.
    pub fn check_string(&mut self, schema: &'static Schema, value: &str) {
        let shown = || shown_text(schema, value);
        self.check_length(schema, validate::utf16_length(value), shown);
        if let Some(pattern) = &schema.pattern
            && !pattern.admits(value)
        {
            self.violate(
                shown(),
                format!("Member must satisfy regular expression pattern: {}", pattern.text),
            );
        }
    }

    /// Reports a string that is not in its enumeration.
    pub fn check_enumeration(&mut self, schema: &'static Schema, value: &str) {
        if let Kind::Enum(values) = schema.kind
            && !values.contains(&value)
        {
            if let (true, Some(Step::Item(number))) = (self.collection.simple, self.path.last()) {
                self.collection.unknown.push((*number, value.to_owned()));
            }
            self.violate(shown_text(schema, value), validate::enumeration(values));
        }
    }

    /// Checks a blob's length in bytes.
    pub fn check_blob(&mut self, schema: &'static Schema, length: usize) {
        self.check_length(schema, length as u64, || {
            if schema.sensitive { String::new() } else { quoted(&validate::byte_buffer(length)) }
        });
    }

    /// Checks a number's range.
    pub fn check_number(&mut self, schema: &'static Schema, value: i64) {
        let Some((least, most)) = schema.range else { return };
        if value < least {
            self.violate(quoted(&value.to_string()), validate::at_least("value", least));
        } else if value > most {
            self.violate(quoted(&value.to_string()), validate::at_most("value", most));
        }
    }

    fn check_length(
        &mut self,
        schema: &'static Schema,
        length: u64,
        shown: impl FnOnce() -> String,
    ) {
        let Some((least, most)) = schema.length else { return };
        if length < least {
            self.violate(shown(), validate::at_least("length", least));
        } else if length > most {
            self.violate(shown(), validate::at_most("length", most));
        }
    }

    fn violate(&mut self, value: String, constraint: String) {
        let of_item = matches!(self.path.last(), Some(Step::Item(_) | Step::Key(_)));
        if self.collection.simple && of_item {
            self.collection.breached = true;
        } else if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { value, path: self.path(), constraint });
        }
    }

    /// `tags.1.member.key`: names in lower camel case, items counted from one.
    fn path(&self) -> String {
        let mut out = String::new();
        for step in &self.path {
            if !out.is_empty() {
                out.push('.');
            }
            match step {
                Step::Member(name) => out.push_str(&validate::lower_camel(name)),
                Step::Item(number) => out.push_str(&format!("{number}.member")),
                Step::Key(key) => out.push_str(&format!("{key}.member")),
            }
        }
        out
    }
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// A string as a message shows it; a sensitive one is left out, as AWS does.
fn shown_text(schema: &Schema, value: &str) -> String {
    if schema.sensitive { String::new() } else { quoted(value) }
}
