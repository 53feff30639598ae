//! What of an event a target gets. Pure.
//!
//! Source: EventBridge user guide, "Amazon EventBridge input transformation"; recordings.

use std::borrow::Cow;

use haechi_wire::Timestamp;
use serde_json::{Map, Value};

use crate::store::{TargetRecord, Transformer};

/// Names that templates may use without having been given them.
pub(crate) const RESERVED: [&str; 5] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event",
    "aws.events.event.json",
    "aws.events.event.ingestion-time",
];

/// Fields of `<aws.events.event>`, and those of events that they show.
const ABOUT_EVENT: [(&str, &str); 8] = [
    ("id", "id"),
    ("account", "account"),
    ("detailType", "detail-type"),
    ("time", "time"),
    ("source", "source"),
    ("region", "region"),
    ("resources", "resources"),
    ("version", "version"),
];

/// What templates may tell beside the event: by which rule it comes, and when it was received.
pub(crate) struct About<'a> {
    pub(crate) rule_arn: &'a str,
    pub(crate) rule_name: &'a str,
    /// Milliseconds since the epoch.
    pub(crate) received_ms: i64,
}

/// The text that a target gets for an event.
pub(crate) fn body(target: &TargetRecord, event: &Value, about: &About<'_>) -> String {
    if let Some(input) = &target.input {
        return input.clone();
    }
    if let Some(path) = &target.input_path {
        return at(event, path).map_or_else(|| "{}".to_owned(), |found| found.to_string());
    }
    match &target.transformer {
        Some(transformer) => fill(transformer, event, about),
        None => event.to_string(),
    }
}

/// The value at a JSON path in dot notation: `$`, `$.detail.state`, `$.resources[0]`; the list of all
/// values where it has wildcards: `$.detail.*`, `$.detail.items[*].id`.
pub(crate) fn at<'a>(event: &'a Value, path: &str) -> Option<Cow<'a, Value>> {
    let (mut found, mut is_list) = (vec![event], false);
    for step in path.strip_prefix('$')?.split('.').flat_map(|step| step.split('[')) {
        found = match step.strip_suffix(']') {
            _ if step.is_empty() => continue,
            _ if matches!(step, "*" | "*]") => {
                is_list = true;
                found.into_iter().flat_map(children).collect()
            }
            index => found.into_iter().filter_map(|value| child(value, step, index)).collect(),
        };
        if found.is_empty() && !is_list {
            return None;
        }
    }
    match is_list {
        true => Some(Cow::Owned(found.into_iter().cloned().collect())),
        false => found.pop().map(Cow::Borrowed),
    }
}

/// What a step of a path leads to; `index` is what stands in its brackets.
fn child<'a>(value: &'a Value, step: &str, index: Option<&str>) -> Option<&'a Value> {
    let Some(index) = index else { return value.get(step) };
    match index.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(index.trim_matches(['\'', '"'])),
    }
}

/// The values in a list or an object.
fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

/// The names in a template's angle brackets.
pub(crate) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.split('<').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('>')?;
        is_name(name).then_some(name)
    })
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.bytes().all(plain)
}

/// Fills a template in. Within a string, a value stands without its quotes.
fn fill(transformer: &Transformer, event: &Value, about: &About<'_>) -> String {
    let mut out = String::with_capacity(transformer.template.len());
    let (mut rest, mut in_string) = (transformer.template.as_str(), false);
    while let Some(position) = rest.find(['<', '"', '\\']) {
        let (before, found) = rest.split_at(position);
        out.push_str(before);
        let name = found
            .strip_prefix('<')
            .and_then(|found| found.split_once('>'))
            .filter(|(name, _)| is_name(name));
        if let Some((name, after)) = name {
            let value = value(name, transformer, event, about);
            out.push_str(&if in_string { within_string(&value) } else { value.to_string() });
            rest = after;
            continue;
        }
        // An escaped quote does not end a string.
        let width = if found.starts_with('\\') && in_string { 2 } else { 1 };
        in_string ^= found.starts_with('"');
        let width = found.ceil_char_boundary(width);
        let (taken, after) = found.split_at(width);
        out.push_str(taken);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value(name: &str, transformer: &Transformer, event: &Value, about: &About<'_>) -> Value {
    match name {
        "aws.events.rule-arn" => about.rule_arn.into(),
        "aws.events.rule-name" => about.rule_name.into(),
        "aws.events.event.json" => event.clone(),
        // Without its detail, and with this name and order (recorded).
        "aws.events.event" => {
            let field = |(name, from): (&str, &str)| {
                event.get(from).map(|value| (name.to_owned(), value.clone()))
            };
            ABOUT_EVENT.into_iter().filter_map(field).collect::<Map<_, _>>().into()
        }
        "aws.events.event.ingestion-time" => {
            Timestamp::from_millis(about.received_ms).format("%Y-%m-%dT%H:%M:%SZ").into()
        }
        _ => {
            let path = transformer.paths.get(name);
            let found = path.and_then(|path| at(event, path));
            found.map_or_else(|| "".into(), Cow::into_owned)
        }
    }
}

fn within_string(value: &Value) -> String {
    match value {
        Value::String(_) => {
            let quoted = value.to_string();
            let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            inner.unwrap_or_default().to_owned()
        }
        other => other.to_string().replace('"', ""),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(template: &str) -> String {
        let paths = [
            ("path", "$.detail.path"),
            ("payload", "$.detail.payload"),
            ("first", "$.resources[0]"),
        ];
        let paths = paths.iter().map(|(name, path)| ((*name).into(), (*path).into())).collect();
        let transformer = Transformer { paths, template: template.to_owned() };
        let event = json!({
            "resources": ["arn:a"],
            "detail": {"path": "users/\"0a\"", "payload": {"acc_id": "0a", "sf_id": "baz"}}
        });
        fill(
            &transformer,
            &event,
            &About { rule_arn: "arn:rule", rule_name: "rule", received_ms: 0 },
        )
    }

    #[test]
    fn templates_are_filled_in_as_aws_does() {
        for (template, expected) in [
            (
                r#""Payload of <payload> on <first>""#,
                r#""Payload of {acc_id:0a,sf_id:baz} on arn:a""#,
            ),
            (
                r#"{"path": "<path>", "body": <payload>}"#,
                r#"{"path": "users/\"0a\"", "body": {"acc_id":"0a","sf_id":"baz"}}"#,
            ),
            (r#"{"list": [<first>, "fixed"]}"#, r#"{"list": ["arn:a", "fixed"]}"#),
            (r#"{"\"<first>\"": <aws.events.rule-name>}"#, r#"{"\"arn:a\"": "rule"}"#),
            ("a < b <first> >", r#"a < b "arn:a" >"#),
            ("\\", "\\"),
        ] {
            assert_eq!(filled(template), expected, "{template}");
        }
    }

    #[test]
    fn the_event_is_told_with_and_without_its_detail() {
        let transformer = Transformer {
            paths: std::collections::BTreeMap::new(),
            template: "[<aws.events.event>, <aws.events.event.json>]".to_owned(),
        };
        let event = json!({"version": "0", "id": "i", "detail-type": "t", "detail": {"a": 1}});
        let about = About { rule_arn: "", rule_name: "", received_ms: 0 };
        assert_eq!(
            fill(&transformer, &event, &about),
            r#"[{"id":"i","detailType":"t","version":"0"}, {"version":"0","id":"i","detail-type":"t","detail":{"a":1}}]"#
        );
    }

    #[test]
    fn paths_lead_into_objects_and_arrays() {
        let event = json!({"a": {"b": [{"c": 1}]}, "x-y": 2});
        let at = |path| at(&event, path).map(Cow::into_owned);
        assert_eq!(at("$.a.b[0].c"), Some(json!(1)));
        assert_eq!(at("$['x-y']"), Some(json!(2)));
        assert_eq!(at("$"), Some(event.clone()));
        assert_eq!(at("$.a.b[1]"), None);
        assert_eq!(at("a"), None);
    }

    #[test]
    fn a_path_with_wildcards_leads_to_the_list_of_all_that_match() {
        let event =
            json!({"resources": ["a", "b"], "detail": {"l": [{"k": 1}, {}, {"k": 2}], "s": 0}});
        for (path, expected) in [
            ("$.resources[*]", json!(["a", "b"])),
            ("$.detail.l[*]", event["detail"]["l"].clone()),
            ("$.detail.l[*].k", json!([1, 2])),
            ("$.detail.*", json!([event["detail"]["l"], 0])),
            ("$.detail.*[0]", json!([{"k": 1}])),
            ("$.detail.s[*]", json!([])),
        ] {
            assert_eq!(at(&event, path).map(Cow::into_owned), Some(expected), "{path}");
        }
        assert_eq!(at(&event, "$.detail.none[*]"), None);
    }
}
