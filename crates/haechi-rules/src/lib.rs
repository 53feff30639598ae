//! Event patterns: which events a rule wants.
//!
//! A pattern is a JSON object that names fields of an event and, for each, an array of values or
//! conditions of which one must hold. EventBridge rules, SNS filter policies on message bodies and
//! Lambda event filters speak this language. Pure: no I/O, no clock.
//!
//! What it guarantees:
//! * A pattern is checked as a whole before any event is seen; a pattern that exists can be matched
//!   against any event without failing.
//! * Fields of one array element are matched together: `{"a": [{"b": ["1"], "c": ["2"]}]}` is not
//!   satisfied by two elements that satisfy a half each.
//!
//! Source of behaviour: EventBridge user guide, "Comparison operators for use in event patterns",
//! and the reasons that AWS's Event Ruler gives for refusing a pattern.
//!
//! ```text
//! pattern.rs    Pattern       parse, match: fields, `$or`, arrays
//! reader.rs     Reader        JSON by tokens, as Event Ruler reads it
//! mistake.rs    PatternError  a reason and its place
//! json.rs       no_json       why something is no JSON
//! event.rs      Event         names with dots, unfolded
//! expression.rs conditions as patterns write them
//! condition.rs  Condition     one condition on one value
//! wildcard.rs   Wildcard      `*` in strings
//! network.rs    Network       CIDR blocks
//! ```

mod condition;
mod event;
mod expression;
mod json;
mod mistake;
mod network;
mod pattern;
mod reader;
mod wildcard;

pub use event::Event;
pub use json::no_json;
pub use mistake::PatternError;
pub use pattern::Pattern;
