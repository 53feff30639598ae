//! Writing: from a shape, through a protocol's [`Writer`], to bytes.

use crate::Timestamp;
use crate::schema::{Member, Schema};

/// A sink for one value, in one protocol. Calls nest as the value does; each [`member`], [`item`]
/// and [`key`] is followed by exactly one value.
///
/// [`member`]: Writer::member
/// [`item`]: Writer::item
/// [`key`]: Writer::key
pub trait Writer {
    /// Enters a structure.
    fn begin_structure(&mut self);
    /// Names the member whose value comes next.
    fn member(&mut self, member: &'static Member);
    /// Leaves the structure.
    fn end_structure(&mut self);
    /// Enters a list.
    fn begin_list(&mut self, item: &'static Member);
    /// Announces the next item.
    fn item(&mut self);
    /// Leaves the list.
    fn end_list(&mut self);
    /// Enters a map.
    fn begin_map(&mut self);
    /// Names the key whose value comes next.
    fn key(&mut self, key: &str);
    /// Leaves the map.
    fn end_map(&mut self);
    /// Text; the schema says whether it is sensitive.
    fn string(&mut self, value: &str, schema: &'static Schema);
    /// Bytes; the schema says whether they are sensitive.
    fn blob(&mut self, value: &[u8], schema: &'static Schema);
    /// A truth value.
    fn boolean(&mut self, value: bool);
    /// A whole number.
    fn integer(&mut self, value: i64);
    /// A floating-point number.
    fn double(&mut self, value: f64);
    /// A point in time.
    fn timestamp(&mut self, value: Timestamp);
}
