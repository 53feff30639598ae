//! Schemas: what AWS's service models say about each shape, as `static` data.
//!
//! Built by `const fn`s so that generated code reads like a specification:
//! `string("KeyIdType").length(1, 2048)`.

use std::sync::OnceLock;

use regex::Regex;

use crate::Protocol;
pub use crate::rest::Route;

/// One shape of a service model: its kind and the constraints on its values.
#[derive(Debug)]
pub struct Schema {
    /// The shape's name in the model, e.g. `KeyIdType`.
    pub name: &'static str,
    /// What sort of value it is.
    pub kind: Kind,
    /// Least and greatest length: UTF-16 units of a string, bytes of a blob, items of a list or map.
    pub length: Option<(u64, u64)>,
    /// Least and greatest value of a number.
    pub range: Option<(i64, i64)>,
    /// Regular expression that the whole string must match.
    pub pattern: Option<&'static Pattern>,
    /// Never to be logged or audited.
    pub sensitive: bool,
    /// How query writes a list or map that has no element around it.
    pub flat: Option<Flat>,
}

/// A list or map without an element around it: `Attribute.1.Name=…`, `<Attribute><Name>…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flat {
    /// Of each item or entry.
    pub name: &'static str,
    /// Of an entry's key; empty for a list.
    pub key: &'static str,
    /// Of an entry's value; empty for a list.
    pub value: &'static str,
}

/// The sort of value that a [`Schema`] describes.
#[derive(Debug)]
pub enum Kind {
    /// Named members.
    Structure(&'static [Member]),
    /// Items of one shape.
    List(&'static Member),
    /// String keys to values of one shape.
    Map {
        /// Schema of the keys.
        key: &'static Schema,
        /// Schema of the values.
        value: &'static Schema,
    },
    /// UTF-8 text.
    String,
    /// One of a fixed set of strings, in the order in which AWS's error messages list them.
    Enum(&'static [&'static str]),
    /// Bytes; base64 on the wire.
    Blob,
    /// `true` or `false`.
    Boolean,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// A point in time.
    Timestamp,
}

/// A member of a structure, or the item of a list.
#[derive(Debug)]
pub struct Member {
    /// Name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub schema: &'static Schema,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Where a REST protocol carries it.
    pub location: Location,
}

/// Where a REST protocol carries a member; other protocols ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the body, under the member's name.
    Body,
    /// In the header of this name.
    Header(&'static str),
    /// In headers that start with this prefix.
    Headers(&'static str),
    /// In the query parameter of this name.
    Query(&'static str),
    /// In the label of this name of the URI's pattern.
    Uri(&'static str),
    /// The HTTP status code.
    StatusCode,
    /// It is the whole body.
    Payload,
}

/// A regular expression of a model, compiled when first needed.
#[derive(Debug)]
pub struct Pattern {
    /// As the model writes it; error messages quote it.
    pub text: &'static str,
    compiled: OnceLock<Option<Compiled>>,
}

/// What a pattern is compiled to.
#[derive(Debug)]
enum Compiled {
    Regular(Regex),
    /// One that looks around, which takes an engine that goes back, so many steps at the most.
    LooksAround(fancy_regex::Regex),
}

impl Pattern {
    /// As the model writes it; see [`pattern!`](crate::pattern).
    pub const fn new(text: &'static str) -> Pattern {
        Pattern { text, compiled: OnceLock::new() }
    }

    /// Whether the whole of `value` matches. The patterns are Java's; a test sees to it that all of
    /// the models' compile, and one that did not would admit nothing.
    pub fn admits(&self, value: &str) -> bool {
        match self.compiled.get_or_init(|| compile(self.text)) {
            Some(Compiled::Regular(regex)) => regex.is_match(value),
            Some(Compiled::LooksAround(regex)) => regex.is_match(value).unwrap_or(false),
            None => false,
        }
    }
}

fn compile(pattern: &str) -> Option<Compiled> {
    let pattern = anchored(pattern);
    Regex::new(&pattern)
        .map(Compiled::Regular)
        .or_else(|_| fancy_regex::Regex::new(&pattern).map(Compiled::LooksAround))
        .ok()
}

/// The Rust regular expression that matches what Java's `String.matches(pattern)` matches:
/// anchored at both ends, and with ASCII-only `\w`, `\d` and `\s`.
pub fn anchored(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    out.push_str("^(?:");
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('w') => out.push_str("[0-9A-Za-z_]"),
            Some('W') => out.push_str("[^0-9A-Za-z_]"),
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('s') => out.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
            // Java takes a needless backslash; Rust's regex takes it before punctuation only.
            Some(other @ ('/' | '\'' | '"' | '@' | ',' | ':' | '=' | '!' | '%' | ';' | '_')) => {
                out.push(other);
            }
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    out.push_str(")$");
    out
}

impl Schema {
    const fn new(name: &'static str, kind: Kind) -> Schema {
        Schema {
            name,
            kind,
            length: None,
            range: None,
            pattern: None,
            sensitive: false,
            flat: None,
        }
    }

    /// Adds bounds on the length, both inclusive.
    #[must_use]
    pub const fn length(mut self, least: u64, most: u64) -> Schema {
        self.length = Some((least, most));
        self
    }

    /// Adds bounds on the value, both inclusive.
    #[must_use]
    pub const fn range(mut self, least: i64, most: i64) -> Schema {
        self.range = Some((least, most));
        self
    }

    /// Adds a regular expression that the whole string must match.
    #[must_use]
    pub const fn pattern(mut self, pattern: &'static Pattern) -> Schema {
        self.pattern = Some(pattern);
        self
    }

    /// Marks values as never to be logged or audited.
    #[must_use]
    pub const fn sensitive(mut self) -> Schema {
        self.sensitive = true;
        self
    }

    /// Says how query writes its items, or its entries with their keys and values.
    #[must_use]
    pub const fn flat(
        mut self,
        name: &'static str,
        key: &'static str,
        value: &'static str,
    ) -> Schema {
        self.flat = Some(Flat { name, key, value });
        self
    }

    /// Whether it is neither a structure nor a collection.
    pub const fn is_simple(&self) -> bool {
        !matches!(self.kind, Kind::Structure(_) | Kind::List(_) | Kind::Map { .. })
    }

    /// The members, where it is a structure.
    pub const fn members(&self) -> &'static [Member] {
        match self.kind {
            Kind::Structure(members) => members,
            _ => &[],
        }
    }
}

/// A structure of these members.
pub const fn structure_of(name: &'static str, members: &'static [Member]) -> Schema {
    Schema::new(name, Kind::Structure(members))
}

/// A list of this item.
pub const fn list(name: &'static str, item: &'static Member) -> Schema {
    Schema::new(name, Kind::List(item))
}

/// A map from strings to values.
pub const fn map(name: &'static str, key: &'static Schema, value: &'static Schema) -> Schema {
    Schema::new(name, Kind::Map { key, value })
}

/// A string.
pub const fn string(name: &'static str) -> Schema {
    Schema::new(name, Kind::String)
}

/// One of a fixed set of strings.
pub const fn one_of(name: &'static str, values: &'static [&'static str]) -> Schema {
    Schema::new(name, Kind::Enum(values))
}

/// Bytes.
pub const fn blob(name: &'static str) -> Schema {
    Schema::new(name, Kind::Blob)
}

/// A truth value.
pub const fn boolean(name: &'static str) -> Schema {
    Schema::new(name, Kind::Boolean)
}

/// A 32-bit whole number.
pub const fn integer(name: &'static str) -> Schema {
    Schema::new(name, Kind::Integer)
}

/// A 64-bit whole number.
pub const fn long(name: &'static str) -> Schema {
    Schema::new(name, Kind::Long)
}

/// A floating-point number.
pub const fn double(name: &'static str) -> Schema {
    Schema::new(name, Kind::Double)
}

/// A point in time.
pub const fn timestamp(name: &'static str) -> Schema {
    Schema::new(name, Kind::Timestamp)
}

/// A member that may be left out.
pub const fn member(name: &'static str, schema: &'static Schema) -> Member {
    Member { name, schema, required: false, location: Location::Body }
}

impl Member {
    /// Makes it required.
    #[must_use]
    pub const fn required(mut self) -> Member {
        self.required = true;
        self
    }

    /// Says where a REST protocol carries it.
    #[must_use]
    pub const fn at(mut self, location: Location) -> Member {
        self.location = location;
        self
    }
}

/// What a model says about a service as a whole.
#[derive(Debug)]
pub struct ServiceSchema {
    /// Short name: the endpoint's prefix and the credential scope's service, e.g. `kms`.
    pub name: &'static str,
    /// The name in full, e.g. `AWS Key Management Service`.
    pub full_name: &'static str,
    /// API version, e.g. `2014-11-01`.
    pub version: &'static str,
    /// Left part of the `X-Amz-Target` header, where the service speaks JSON.
    pub target_prefix: &'static str,
    /// XML namespace of its answers, where it speaks XML.
    pub xml_namespace: &'static str,
    /// Protocols it speaks, the model's first choice first.
    pub protocols: &'static [Protocol],
    /// Names of all operations of the model, sorted, also those that haechi lacks.
    pub operations: &'static [&'static str],
    /// Where the REST protocols call each of them; empty where the service speaks none.
    pub routes: &'static [Route],
    /// What a request's path stands for in query, if anything.
    pub address: Option<Address>,
}

/// A parameter that stands in the path: of requests to a queue's URL, `QueueUrl`. Such requests need
/// not say the API's version.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// The parameter.
    pub member: &'static str,
    /// Operations that are called at `/` alone.
    pub elsewhere: &'static [&'static str],
}

/// What a model says about one operation.
#[derive(Debug)]
pub struct OperationSchema {
    /// The service it belongs to.
    pub service: &'static ServiceSchema,
    /// Its name, e.g. `Encrypt`.
    pub name: &'static str,
    /// The action that policies name, e.g. `kms:Encrypt`.
    pub action: &'static str,
    /// HTTP method of the REST protocols.
    pub method: &'static str,
    /// URI pattern of the REST protocols.
    pub uri: &'static str,
    /// HTTP status of an answer that is no error.
    pub status: u16,
    /// Shape of the input; a structure.
    pub input: &'static Schema,
    /// Shape of the output; a structure.
    pub output: &'static Schema,
    /// Element around the output in the query protocol, e.g. `GetUserResult`.
    pub result_wrapper: Option<&'static str>,
    /// Whether CloudTrail calls it read-only.
    pub read_only: bool,
}

/// The shape of an operation that takes or answers nothing.
pub static UNIT: Schema = structure_of("Unit", &[]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_string_as_in_java() {
        static NAME: Schema = string("Name").pattern(crate::pattern!(r"[\w+=,.@-]*"));
        let pattern = NAME.pattern.as_ref().unwrap();
        assert!(pattern.admits("Session1"));
        assert!(!pattern.admits("Session1:2"));
        assert!(!pattern.admits("é"), "\\w is ASCII in Java");
    }

    #[test]
    fn patterns_that_look_around_are_read() {
        for (pattern, taken, refused) in [
            ("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "live-2", "12"),
            ("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "a", "a b"),
            (r"^(?!\s*$).+", " x", "  "),
            (r"[0-9A-Za-z\.\-_]*(?<!\.)", "a.b", "a."),
            ("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "a-b-c", "a--c"),
            (r"(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+)*)", "my.app", "aws.x"),
            (r"((?!^\d+$)^[0-9a-zA-Z-_]+$)", "v1", "1"),
        ] {
            let compiled = Pattern { text: pattern, compiled: OnceLock::new() };
            assert!(compile(pattern).is_some() && compiled.admits(taken), "{pattern} {taken}");
            assert!(!compiled.admits(refused), "{pattern} {refused}");
        }
        assert!(compile("(").is_none());
    }

    #[test]
    fn every_pattern_of_the_models_compiles() {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut seen = 0;
        for folder in std::fs::read_dir(crates).unwrap() {
            let Ok(text) = std::fs::read_to_string(folder.unwrap().path().join("src/shapes.rs"))
            else {
                continue;
            };
            // `codegen` writes them as strings that are JSON too.
            for rest in text.split("pattern!(").skip(1) {
                let literal = rest.trim_start().split(")").scan(String::new(), |all, part| {
                    all.push_str(part);
                    let parsed = serde_json::from_str::<String>(all.trim_end());
                    all.push(')');
                    Some(parsed.ok())
                });
                let pattern = literal.flatten().next().unwrap();
                assert!(compile(&pattern).is_some(), "{pattern}");
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn kms_policy_pattern_compiles_and_takes_latin_1() {
        static POLICY: Schema =
            string("PolicyType").pattern(crate::pattern!(r"[\u0009\u000A\u000D\u0020-\u00FF]+"));
        let pattern = POLICY.pattern.as_ref().unwrap();
        assert!(pattern.admits("{\n\"é\"}"));
        assert!(!pattern.admits("\u{1F600}"));
    }
}
