//! Structures as validation messages show them: `Tag(key=a, value=null)`.
//!
//! It is how the objects of AWS's services print themselves. Source: responses recorded from
//! EventBridge (`PutEvents` with too many entries) and Lambda.

use crate::schema::{Kind, Member, Schema};
use crate::{Shape, Timestamp, Writer, validate};

/// What stands for a value that is sensitive.
const REDACTED: &str = "***Sensitive Data Redacted***";

/// Members that models do not publish, and messages show.
const UNPUBLISHED: [(&str, &[&str]); 1] =
    [("PutEventsRequestEntry", &["kmsKeyIdentifier", "internalMetadata"])];

/// A structure as messages show it.
pub(crate) fn structure<T: Shape>(value: &T, schema: &'static Schema) -> String {
    let mut shown = Shown { out: String::new(), open: Vec::new(), expected: Some(schema) };
    value.write(&mut shown, schema);
    shown.out
}

/// What is being written: a structure with the members that are still to come, a list or a map.
enum Open {
    Structure { name: &'static str, rest: &'static [Member], is_first: bool },
    List { item: &'static Schema, is_first: bool },
    Map { value: Option<&'static Schema>, is_first: bool },
}

struct Shown {
    out: String,
    open: Vec<Open>,
    /// The schema of the value that comes next.
    expected: Option<&'static Schema>,
}

impl Shown {
    fn separate(&mut self) {
        let is_first = match self.open.last_mut() {
            Some(
                Open::Structure { is_first, .. }
                | Open::List { is_first, .. }
                | Open::Map { is_first, .. },
            ) => std::mem::replace(is_first, false),
            None => true,
        };
        if !is_first {
            self.out.push_str(", ");
        }
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.out.push_str(&validate::lower_camel(name));
        self.out.push('=');
    }

    /// Shows the members that have no value, up to this one, which is named.
    fn advance(&mut self, until: Option<&str>) {
        loop {
            let Some(Open::Structure { rest, .. }) = self.open.last_mut() else { return };
            let Some((member, more)) = rest.split_first() else { return };
            *rest = more;
            self.name(member.name);
            if until == Some(member.name) {
                return;
            }
            self.out.push_str("null");
        }
    }
}

impl Writer for Shown {
    fn begin_structure(&mut self) {
        let schema = self.expected.take();
        let name = schema.map_or("", |schema| schema.name);
        let rest = schema.map_or(&[][..], Schema::members);
        self.out.push_str(name);
        self.out.push('(');
        self.open.push(Open::Structure { name, rest, is_first: true });
    }

    fn member(&mut self, member: &'static Member) {
        self.advance(Some(member.name));
        self.expected = Some(member.schema);
    }

    fn end_structure(&mut self) {
        self.advance(None);
        if let Some(Open::Structure { name, .. }) = self.open.last() {
            let unpublished = UNPUBLISHED.iter().find(|(known, _)| known == name);
            for member in unpublished.map_or(&[][..], |(_, members)| members) {
                self.name(member);
                self.out.push_str("null");
            }
        }
        self.open.pop();
        self.out.push(')');
    }

    fn begin_list(&mut self, item: &'static Member) {
        self.out.push('[');
        self.open.push(Open::List { item: item.schema, is_first: true });
    }

    fn item(&mut self) {
        self.separate();
        if let Some(Open::List { item, .. }) = self.open.last() {
            self.expected = Some(item);
        }
    }

    fn end_list(&mut self) {
        self.open.pop();
        self.out.push(']');
    }

    fn begin_map(&mut self) {
        let value = self.expected.take().and_then(|schema| match schema.kind {
            Kind::Map { value, .. } => Some(value),
            _ => None,
        });
        self.out.push('{');
        self.open.push(Open::Map { value, is_first: true });
    }

    fn key(&mut self, key: &str) {
        self.separate();
        self.out.push_str(key);
        self.out.push('=');
        if let Some(Open::Map { value, .. }) = self.open.last() {
            self.expected = *value;
        }
    }

    fn end_map(&mut self) {
        self.open.pop();
        self.out.push('}');
    }

    fn string(&mut self, value: &str, schema: &'static Schema) {
        self.out.push_str(if schema.sensitive { REDACTED } else { value });
    }

    fn blob(&mut self, value: &[u8], schema: &'static Schema) {
        let shown = validate::byte_buffer(value.len());
        self.out.push_str(if schema.sensitive { REDACTED } else { &shown });
    }

    fn boolean(&mut self, value: bool) {
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn integer(&mut self, value: i64) {
        self.out.push_str(&value.to_string());
    }

    fn double(&mut self, value: f64) {
        self.out.push_str(&value.to_string());
    }

    fn timestamp(&mut self, value: Timestamp) {
        // As Java's dates print.
        self.out.push_str(&value.format("%a %b %d %H:%M:%S UTC %Y"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{list, map, member, string};

    crate::structure! { pub struct Inner as INNER "Inner" {
        optional secret: String = member("Secret", &SECRET),
        optional name: String = member("Name", &NAME),
    } }
    crate::structure! { pub struct Outer as OUTER "PutEventsRequestEntry" {
        optional time: Timestamp = member("Time", &TIME),
        optional names: Vec<String> = member("Names", &NAMES),
        optional inner: Inner = member("Inner", &INNER),
        optional many: std::collections::BTreeMap<String, String> = member("Many", &MANY),
        optional last: bool = member("Last", &FLAG),
    } }
    static NAME: Schema = string("Name");
    static SECRET: Schema = string("Secret").sensitive();
    static TIME: Schema = crate::schema::timestamp("Time");
    static FLAG: Schema = crate::schema::boolean("Flag");
    static NAME_ITEM: Member = member("member", &NAME);
    static NAMES: Schema = list("Names", &NAME_ITEM);
    static MANY: Schema = map("Many", &NAME, &NAME);

    #[test]
    fn a_structure_shows_all_its_members_and_no_secret() {
        assert_eq!(
            structure(&Outer::default(), &OUTER),
            "PutEventsRequestEntry(time=null, names=null, inner=null, many=null, last=null, \
             kmsKeyIdentifier=null, internalMetadata=null)"
        );
        let inner = Inner { secret: Some("s".to_owned()), name: None };
        let full = Outer {
            time: Some(Timestamp::from_millis(1_700_000_000_000)),
            names: Some(vec!["a".to_owned(), "b".to_owned()]),
            inner: Some(inner),
            many: Some([("k".to_owned(), "v".to_owned())].into()),
            last: Some(true),
        };
        assert_eq!(
            structure(&full, &OUTER),
            "PutEventsRequestEntry(time=Tue Nov 14 22:13:20 UTC 2023, names=[a, b], \
             inner=Inner(secret=***Sensitive Data Redacted***, name=null), many={k=v}, last=true, \
             kmsKeyIdentifier=null, internalMetadata=null)"
        );
    }
}
