//! The query protocol: `Action=CreateUser&UserName=alice` in, XML out ([`json`] where it is asked for).
//!
//! Parameters are flat; dots and numbers make them a tree (`Tags.member.1.Key=…`,
//! `Context.entry.1.key=…`), which [`Form`] builds once and [`QueryReader`] then walks.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use crate::buffer::{put, put_byte};
use crate::schema::{Flat, Member, Schema};
use crate::{Malformed, Reader, Timestamp, Writer};

pub mod json;

/// Parameters of one request, at most.
pub const PARAMETERS_MAX: usize = 2_000;

/// Dots in the name of one parameter, at most.
const DEPTH_MAX: usize = 32;

/// A request's parameters as a tree.
#[derive(Default)]
pub struct Form {
    root: Node,
}

#[derive(Default)]
struct Node {
    value: Option<Zeroizing<String>>,
    children: Vec<(String, Node)>,
}

impl Node {
    fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    /// Puts `value` at the end of the path of `steps`; answers the value that was there.
    fn insert(
        &mut self,
        mut steps: std::str::Split<'_, char>,
        value: Zeroizing<String>,
    ) -> Option<Zeroizing<String>> {
        let Some(step) = steps.next() else { return self.value.replace(value) };
        if let Some((_, child)) = self.children.iter_mut().find(|(key, _)| key == step) {
            return child.insert(steps, value);
        }
        let mut child = Node::default();
        child.insert(steps, value);
        self.children.push((step.to_owned(), child));
        None
    }
}

impl Form {
    /// Parses the `application/x-www-form-urlencoded` text of all `sources` as one.
    ///
    /// # Errors
    /// If it is not UTF-8 once decoded, names a parameter twice, or is beyond the limits.
    pub fn parse(sources: &[&[u8]]) -> Result<Form, Malformed> {
        let mut form = Form::default();
        let parameters = sources.iter().flat_map(|source| source.split(|byte| *byte == b'&'));
        let parameters = parameters.filter(|part| !part.is_empty());
        for (index, parameter) in parameters.enumerate() {
            if index >= PARAMETERS_MAX {
                return Err(Malformed(format!("More than {PARAMETERS_MAX} parameters")));
            }
            let mut halves = parameter.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if name.matches('.').count() >= DEPTH_MAX {
                return Err(Malformed(format!("{} is nested too deeply", *name)));
            }
            if form.root.insert(name.split('.'), value).is_some() {
                return Err(Malformed(format!("The parameter {} is there twice", *name)));
            }
        }
        Ok(form)
    }

    /// Sets a parameter that is not there.
    pub fn fill(&mut self, name: &str, value: &str) {
        if self.root.child(name).is_none() {
            self.root.insert(name.split('.'), Zeroizing::new(value.to_owned()));
        }
    }

    /// The value of a parameter without dots, such as `Action`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.root.child(name)?.value.as_ref().map(|value| value.as_str())
    }
}

/// Wiped when dropped, whatever it is: a form does not know which parameter is a secret.
fn decode(text: &[u8]) -> Result<Zeroizing<String>, Malformed> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    for part in text.split_inclusive(|byte| *byte == b'+') {
        let (part, space) = part.strip_suffix(b"+").map_or((part, ""), |part| (part, " "));
        plain.extend(percent_decode(part).chain(space.bytes()));
    }
    String::from_utf8(std::mem::take(&mut *plain)).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        Malformed("A parameter is not valid UTF-8".to_owned())
    })
}

/// Reads an input structure from a [`Form`].
pub struct QueryReader<'a> {
    /// The node whose value is read next.
    here: &'a Node,
    open: Vec<Open<'a>>,
}

/// A structure, list or map being read.
struct Open<'a> {
    node: &'a Node,
    next: usize,
    items: Vec<&'a Node>,
}

impl<'a> QueryReader<'a> {
    /// Over this form.
    pub fn new(form: &'a Form) -> Self {
        QueryReader { here: &form.root, open: Vec::new() }
    }

    fn text(&self) -> Result<&'a str, Malformed> {
        self.here
            .value
            .as_ref()
            .map(|value| value.as_str())
            .ok_or_else(|| Malformed("Expected a value, found a structure".to_owned()))
    }

    /// The children of `node` in the order of their numbers.
    fn numbered(node: &'a Node) -> Vec<&'a Node> {
        let mut items: Vec<(u32, &Node)> = node
            .children
            .iter()
            .filter_map(|(name, child)| Some((name.parse().ok()?, child)))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, child)| child).collect()
    }

    fn next_node(&mut self) -> Option<&'a Node> {
        let open = self.open.last_mut()?;
        let node = open.items.get(open.next).copied();
        open.next += 1;
        if node.is_none() {
            self.open.pop();
        }
        node
    }
}

impl Reader for QueryReader<'_> {
    fn null(&mut self) -> Result<bool, Malformed> {
        Ok(false)
    }

    fn begin_structure(&mut self) -> Result<(), Malformed> {
        self.open.push(Open { node: self.here, next: 0, items: Vec::new() });
        Ok(())
    }

    fn next_member(&mut self, members: &'static [Member]) -> Result<Option<usize>, Malformed> {
        let Some(open) = self.open.last_mut() else { return Ok(None) };
        for (index, member) in members.iter().enumerate().skip(open.next) {
            // Without an element around them, its items or entries have a name of their own.
            let flat = || open.node.child(member.schema.flat?.name);
            if let Some(node) = open.node.child(member.name).or_else(flat) {
                open.next = index + 1;
                self.here = node;
                return Ok(Some(index));
            }
        }
        self.open.pop();
        Ok(None)
    }

    fn begin_list(&mut self, item: &'static Member) -> Result<(), Malformed> {
        // `Tags.member.1`, with the item's own name where the model gives one; flattened lists
        // (`Tags.1`) are taken too.
        let inner = self.here.child(item.name).or_else(|| self.here.child("member"));
        let items = Self::numbered(inner.unwrap_or(self.here));
        self.open.push(Open { node: self.here, next: 0, items });
        Ok(())
    }

    fn next_item(&mut self) -> Result<bool, Malformed> {
        let Some(node) = self.next_node() else { return Ok(false) };
        self.here = node;
        Ok(true)
    }

    fn begin_map(&mut self) -> Result<(), Malformed> {
        let items = Self::numbered(self.here.child("entry").unwrap_or(self.here));
        self.open.push(Open { node: self.here, next: 0, items });
        Ok(())
    }

    fn next_key(&mut self) -> Result<Option<String>, Malformed> {
        let Some(entry) = self.next_node() else { return Ok(None) };
        // SNS's models call them so where they are attributes of messages, SQS's everywhere.
        let any = |names: &[&str]| names.iter().find_map(|name| entry.child(name));
        let key = any(&["key", "Name", "Key"]).and_then(|node| node.value.as_ref());
        let (Some(key), Some(value)) = (key, any(&["value", "Value"])) else {
            return Err(Malformed("A map's entry needs a key and a value".to_owned()));
        };
        self.here = value;
        Ok(Some(key.to_string()))
    }

    fn string(&mut self) -> Result<Cow<'_, str>, Malformed> {
        self.text().map(Cow::Borrowed)
    }

    fn blob(&mut self) -> Result<Vec<u8>, Malformed> {
        STANDARD.decode(self.text()?).map_err(|_| Malformed("Invalid base64 in a blob".to_owned()))
    }

    fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.text()? {
            "true" | "True" => Ok(true),
            "false" | "False" => Ok(false),
            other => Err(Malformed(format!("{other} can not be converted to a Boolean"))),
        }
    }

    fn integer(&mut self) -> Result<i64, Malformed> {
        let text = self.text()?;
        text.parse().map_err(|_| Malformed(format!("{text} can not be converted to an Integer")))
    }

    fn double(&mut self) -> Result<f64, Malformed> {
        let text = self.text()?;
        text.parse().map_err(|_| Malformed(format!("{text} can not be converted to a Double")))
    }

    fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        let text = self.text()?;
        Timestamp::parse(text)
            .ok_or_else(|| Malformed(format!("{text} can not be converted to a Date")))
    }

    fn finish(&mut self) -> Result<(), Malformed> {
        Ok(())
    }
}

/// Writes the XML of an answer.
pub struct XmlWriter {
    out: Vec<u8>,
    /// Name of the element that the next value becomes.
    pending: &'static str,
    /// How the next list or map stands there, if it has no element around it.
    flat: Option<Flat>,
    open: Vec<Element>,
}

/// A structure, list or map being written.
struct Element {
    /// Its element; none around what is flat.
    name: Option<&'static str>,
    /// The element of each item.
    item: &'static str,
    /// Of a map: what entries, keys and values are called.
    entry: Option<Flat>,
}

/// What a map calls its entries, keys and values where its model says nothing.
const ENTRY: Flat = Flat { name: "entry", key: "key", value: "value" };

/// The body of a successful answer: `<GetUserResponse><GetUserResult>…`.
pub fn response_body(
    operation: &str,
    result_wrapper: Option<&'static str>,
    namespace: &str,
    request_id: &str,
    write: impl FnOnce(&mut XmlWriter),
) -> Vec<u8> {
    let mut out = format!("<{operation}Response xmlns=\"{namespace}\">").into_bytes();
    if let Some(wrapper) = result_wrapper {
        let before = out.len();
        let mut writer =
            XmlWriter { out, pending: wrapper, flat: None, open: Vec::with_capacity(8) };
        write(&mut writer);
        out = writer.out;
        // Recorded of SQS: an element of nothing is one tag.
        if out.get(before..) == Some(format!("<{wrapper}></{wrapper}>").as_bytes()) {
            out.truncate(before);
            put(&mut out, format!("<{wrapper}/>").as_bytes());
        }
    }
    let end = format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    );
    put(&mut out, end.as_bytes());
    out
}

/// The body of an error: its code and message, and whether the sender is at fault and an element for
/// details stands there.
pub fn error_body(
    (code, message): (&str, &str),
    (sender, detailed): (bool, bool),
    namespace: &str,
    request_id: &str,
) -> Vec<u8> {
    let kind = if sender { "Sender" } else { "Receiver" };
    let mut out = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code>"
    )
    .into_bytes();
    // As in JSON, what has no message has no member for it.
    if !message.is_empty() {
        out.extend_from_slice(b"<Message>");
        push_text(&mut out, message);
        out.extend_from_slice(b"</Message>");
    }
    let detail = if detailed { "<Detail/>" } else { "" };
    out.extend_from_slice(
        format!("{detail}</Error><RequestId>{request_id}</RequestId></ErrorResponse>").as_bytes(),
    );
    out
}

/// Appends text with XML's special characters escaped; characters that XML 1.0 cannot hold at all
/// become U+FFFD.
fn push_text(out: &mut Vec<u8>, text: &str) {
    for character in text.chars() {
        match character {
            '&' => put(out, b"&amp;"),
            '<' => put(out, b"&lt;"),
            '>' => put(out, b"&gt;"),
            '"' => put(out, b"&quot;"),
            '\r' => put(out, b"&#xD;"),
            '\t' | '\n' => put_byte(out, character as u8),
            control if control < ' ' || matches!(control, '\u{FFFE}' | '\u{FFFF}') => {
                put(out, "\u{FFFD}".as_bytes());
            }
            other => put(out, other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

impl XmlWriter {
    fn begin(&mut self, item: &'static str, entry: Option<Flat>, is_flat: bool) {
        let name = (!is_flat).then_some(self.pending);
        if let Some(name) = name {
            self.tag("<", name);
        }
        self.flat = None;
        self.open.push(Element { name, item, entry });
    }

    fn end(&mut self) {
        let closed = self.open.pop().and_then(|element| element.name);
        if let Some(name) = closed {
            self.tag("</", name);
            self.close_entry(name);
        }
    }

    fn tag(&mut self, open: &str, name: &str) {
        put(&mut self.out, open.as_bytes());
        put(&mut self.out, name.as_bytes());
        put_byte(&mut self.out, b'>');
    }

    fn text(&mut self, text: &str) {
        let name = self.pending;
        self.tag("<", name);
        push_text(&mut self.out, text);
        self.tag("</", name);
        self.close_entry(name);
    }

    /// Ends a map's entry if the element just closed was its value.
    fn close_entry(&mut self, closed: &str) {
        let entry = self.open.last().and_then(|element| element.entry);
        if let Some(entry) = entry.filter(|entry| entry.value == closed) {
            self.tag("</", entry.name);
        }
    }
}

impl Writer for XmlWriter {
    fn begin_structure(&mut self) {
        self.begin("", None, false);
    }
    fn member(&mut self, member: &'static Member) {
        self.pending = member.name;
        self.flat = member.schema.flat;
    }
    fn end_structure(&mut self) {
        self.end();
    }
    fn begin_list(&mut self, item: &'static Member) {
        let flat = self.flat;
        self.begin(flat.map_or(item.name, |flat| flat.name), None, flat.is_some());
    }
    fn item(&mut self) {
        self.pending = self.open.last().map_or("member", |element| element.item);
        self.flat = None;
    }
    fn end_list(&mut self) {
        self.end();
    }
    fn begin_map(&mut self) {
        let flat = self.flat;
        self.begin("", Some(flat.unwrap_or(ENTRY)), flat.is_some());
    }
    fn key(&mut self, key: &str) {
        let entry = self.open.last().and_then(|element| element.entry).unwrap_or(ENTRY);
        self.tag("<", entry.name);
        self.tag("<", entry.key);
        push_text(&mut self.out, key);
        self.tag("</", entry.key);
        self.pending = entry.value;
        self.flat = None;
    }
    fn end_map(&mut self) {
        self.end();
    }
    fn string(&mut self, value: &str, _: &'static Schema) {
        self.text(value);
    }
    fn blob(&mut self, value: &[u8], _: &'static Schema) {
        self.text(&Zeroizing::new(STANDARD.encode(value)));
    }
    fn boolean(&mut self, value: bool) {
        self.text(if value { "true" } else { "false" });
    }
    fn integer(&mut self, value: i64) {
        self.text(&value.to_string());
    }
    fn double(&mut self, value: f64) {
        self.text(&value.to_string());
    }
    fn timestamp(&mut self, value: Timestamp) {
        self.text(&value.iso8601());
    }
}

#[cfg(test)]
mod tests;
