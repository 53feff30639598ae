//! From text to a compiled policy (Grammar of the IAM JSON policy language).
//!
//! The checks run in the order in which IAM's own are seen to: grammar, the version (of managed
//! policies), the second parser, `Sid`, that there are actions, resources, prefixes of actions, and last
//! what the kind of policy demands.

use std::collections::HashSet;

use crate::action::ActionPattern;
use crate::arn::ResourcePattern;
use crate::condition::Condition;
use crate::document::gates;
use crate::json::Json;
use crate::principal::{PrincipalElement, PrincipalPattern};
use crate::statement::{Effect, Element, Statement};
use crate::{Document, Kind, POLICY_BYTES_MAX, ParseError, Version};

mod check;

type Result<T> = std::result::Result<T, ParseError>;

/// Parses a policy; with `current`, one that must be written in the current version.
pub(crate) fn document(text: &str, kind: Kind, current: bool) -> Result<Document> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(ParseError::TooLong { bytes: text.len() });
    }
    let json = Json::parse(text).map_err(|error| match error {
        ParseError::InvalidJson { detail } if kind == Kind::Trust => {
            ParseError::InvalidTrustJson { detail }
        }
        other => other,
    })?;
    let Json::Object(members) = json else {
        return Err(ParseError::syntax("a policy is a JSON object"));
    };
    let (mut version, mut id, mut statements) = (Version::V2008, None, None);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("Version", Json::String(text)) => {
                version = match text.as_str() {
                    "2008-10-17" => Version::V2008,
                    "2012-10-17" => Version::V2012,
                    _ => return Err(ParseError::syntax(format!("no version {text:?}"))),
                };
            }
            ("Id", Json::String(text)) => id = Some(text.into()),
            ("Statement", Json::Array(items)) => statements = Some(items),
            ("Statement", item @ Json::Object(_)) => statements = Some(vec![item]),
            (other, _) => return Err(ParseError::syntax(format!("element {other:?}"))),
        }
    }
    let Some(items) = statements.filter(|items| !items.is_empty()) else {
        return Err(ParseError::syntax("a policy has a Statement"));
    };
    let (raw, doubted) = read(items, version)?;
    if current && version == Version::V2008 {
        return Err(ParseError::VersionTooOld);
    }
    if let Some(legacy) = doubted {
        return Err(legacy);
    }
    let misnamed = misnamed_resource(&raw, kind)?;
    let mut sids = HashSet::new();
    for sid in raw.iter().filter_map(|raw| raw.sid.as_deref()).filter(|sid| !sid.is_empty()) {
        if !sids.insert(sid) {
            return Err(ParseError::DuplicateSid { sid: sid.to_owned() });
        }
    }
    if raw.iter().any(|raw| raw.action.as_ref().is_none_or(|(_, list)| list.is_empty())) {
        return Err(ParseError::MissingAction);
    }
    if let Some(misnamed) = misnamed {
        return Err(misnamed);
    }
    let statements: Box<[Statement]> =
        raw.into_iter().map(|raw| raw.compile(kind, version)).collect::<Result<_>>()?;
    let gates = gates(&statements);
    Ok(Document { name: None, kind, version, id, statements, gates })
}

/// The statements, and the first thing in them that IAM's second parser would not take.
fn read(items: Vec<Json>, version: Version) -> Result<(Vec<Raw>, Option<ParseError>)> {
    let mut doubted = None;
    let mut statements = Vec::with_capacity(items.len());
    for item in items {
        let mut raw = Raw::read(item)?;
        let mut doubts: Vec<ParseError> = raw.doubt.take().into_iter().collect();
        for (operator, key, wanted) in std::mem::take(&mut raw.conditions) {
            match Condition::compile(&operator, &key, wanted, version == Version::V2012) {
                Ok(condition) => raw.compiled.push(condition),
                Err(legacy @ ParseError::LegacyParsing { .. }) => doubts.push(legacy),
                Err(other) => return Err(other),
            }
        }
        doubted = doubted.or_else(|| doubts.into_iter().next());
        statements.push(raw);
    }
    Ok((statements, doubted))
}

/// The first resource that is not written as one. What only the second parser minds is an error at
/// once, unless another mistake was found before it.
fn misnamed_resource(statements: &[Raw], kind: Kind) -> Result<Option<ParseError>> {
    if kind == Kind::Trust {
        return Ok(None);
    }
    let lists = statements.iter().filter_map(|raw| raw.resource.as_ref()).map(|(_, list)| list);
    for list in lists {
        for text in list {
            if let Err(mistake) = check::resource(text) {
                return Ok(Some(mistake));
            }
        }
        for text in list {
            check::resource_parts(text)?;
        }
    }
    Ok(None)
}

/// A statement whose elements have the right JSON types, not yet compiled.
#[derive(Default)]
struct Raw {
    sid: Option<String>,
    effect: Option<Effect>,
    principal: Option<(bool, Json)>,
    action: Option<(bool, Vec<String>)>,
    resource: Option<(bool, Vec<String>)>,
    conditions: Vec<(String, String, Vec<String>)>,
    compiled: Vec<Condition>,
    /// What the second parser would not take.
    doubt: Option<ParseError>,
}

impl Raw {
    fn read(json: Json) -> Result<Self> {
        let Json::Object(members) = json else {
            return Err(ParseError::syntax("a statement is a JSON object"));
        };
        let mut raw = Self::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("Sid", Json::String(text)) => raw.sid = Some(text),
                ("Effect", Json::String(text)) => (raw.effect, raw.doubt) = effect(&text)?,
                ("Principal", value) => once(&mut raw.principal, (false, value))?,
                ("NotPrincipal", value) => once(&mut raw.principal, (true, value))?,
                ("Action", value) => once(&mut raw.action, (false, strings(value)?))?,
                ("NotAction", value) => once(&mut raw.action, (true, strings(value)?))?,
                ("Resource", value) => once(&mut raw.resource, (false, strings(value)?))?,
                ("NotResource", value) => once(&mut raw.resource, (true, strings(value)?))?,
                ("Condition", Json::Object(operators)) => raw.conditions = conditions(operators)?,
                (other, _) => return Err(ParseError::syntax(format!("element {other:?}"))),
            }
        }
        if raw.effect.is_none() && raw.doubt.is_none() {
            return Err(ParseError::syntax("a statement has an Effect"));
        }
        Ok(raw)
    }

    fn compile(self, kind: Kind, version: Version) -> Result<Statement> {
        let variables = version == Version::V2012;
        let (negated, actions) =
            self.action.filter(|(_, list)| !list.is_empty()).ok_or(ParseError::MissingAction)?;
        let resources = match self.resource {
            Some(_) if kind == Kind::Trust => {
                return Err(ParseError::ProhibitedField { field: "Resource" });
            }
            None if matches!(kind, Kind::Trust | Kind::Resource) => None,
            Some((negated, list)) if !list.is_empty() => {
                let compile = |text: &String| ResourcePattern::compile(text, variables);
                Some(Element { negated, patterns: list.iter().map(compile).collect() })
            }
            _ => return Err(ParseError::MissingResource),
        };
        for action in &actions {
            check::action(action, kind)?;
        }
        let patterns = actions.iter().map(|text| ActionPattern::compile(text)).collect();
        let actions = Element { negated, patterns };
        Ok(Statement {
            sid: self.sid.map(Into::into),
            // `read` has refused a statement without effect.
            effect: self.effect.unwrap_or(Effect::Deny),
            principals: principals(self.principal, kind)?,
            actions,
            resources,
            conditions: self.compiled.into(),
        })
    }
}

/// IAM's grammar takes `allow` in any case, and its second parser does not.
fn effect(text: &str) -> Result<(Option<Effect>, Option<ParseError>)> {
    match text {
        "Allow" => Ok((Some(Effect::Allow), None)),
        "Deny" => Ok((Some(Effect::Deny), None)),
        _ if text.eq_ignore_ascii_case("allow") || text.eq_ignore_ascii_case("deny") => {
            Ok((None, Some(ParseError::legacy(format!("Effect {text:?}")))))
        }
        _ => Err(ParseError::syntax(format!("Effect {text:?}"))),
    }
}

/// Sets an element that excludes its own negation.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ParseError::syntax("an element and its Not form exclude each other")),
    }
}

fn strings(json: Json) -> Result<Vec<String>> {
    match json {
        Json::String(text) => Ok(vec![text]),
        // IAM takes null in a list, and it means nothing.
        Json::Array(items) => items
            .into_iter()
            .filter(|item| !matches!(item, Json::Null))
            .map(|item| match item {
                Json::String(text) => Ok(text),
                _ => Err(ParseError::syntax("a list of strings")),
            })
            .collect(),
        _ => Err(ParseError::syntax("a string or a list of strings")),
    }
}

/// Condition values may be numbers and booleans too, and stand for their text.
fn condition_values(json: Json) -> Result<Vec<String>> {
    let scalar = |json| match json {
        Json::String(text) | Json::Scalar(text) => Ok(text),
        _ => Err(ParseError::syntax("a condition compares strings, numbers and booleans")),
    };
    match json {
        Json::Array(items) => items.into_iter().map(scalar).collect(),
        single => Ok(vec![scalar(single)?]),
    }
}

fn conditions(operators: Vec<(String, Json)>) -> Result<Vec<(String, String, Vec<String>)>> {
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let Json::Object(keys) = keys else {
            return Err(ParseError::syntax(format!("{operator} takes condition keys")));
        };
        for (key, values) in keys {
            conditions.push((operator.clone(), key, condition_values(values)?));
        }
    }
    Ok(conditions)
}

fn principals(element: Option<(bool, Json)>, kind: Kind) -> Result<PrincipalElement> {
    let Some((negated, json)) = element else {
        return if kind.has_principals() {
            Err(ParseError::MissingField { field: "Principal" })
        } else {
            Ok(PrincipalElement::Attached)
        };
    };
    if !kind.has_principals() {
        return Err(ParseError::PrincipalNotAllowed);
    }
    let mut patterns = Vec::new();
    match json {
        Json::String(text) if text == "*" => patterns.push(PrincipalPattern::Everyone),
        Json::Object(members) => {
            for (name, values) in members {
                for text in strings(values)? {
                    patterns.push(principal(&name, &text, kind)?);
                }
            }
        }
        Json::String(text) => {
            return Err(ParseError::InvalidPrincipal { kind: "AWS".to_owned(), value: text });
        }
        _ => return Err(ParseError::syntax("Principal is \"*\" or an object")),
    }
    if patterns.is_empty() {
        return Err(ParseError::MissingField { field: "Principal" });
    }
    let everyone = matches!(patterns.as_slice(), [PrincipalPattern::Everyone]);
    if kind == Kind::ResourceControl && (negated || !everyone) {
        return Err(ParseError::syntax("the Principal of a resource control policy is \"*\""));
    }
    let patterns = patterns.into();
    Ok(if negated { PrincipalElement::Not(patterns) } else { PrincipalElement::Is(patterns) })
}

fn principal(name: &str, text: &str, kind: Kind) -> Result<PrincipalPattern> {
    let invalid =
        || ParseError::InvalidPrincipal { kind: name.to_ascii_uppercase(), value: text.to_owned() };
    match name {
        "AWS" => PrincipalPattern::aws(text),
        "Federated" if kind == Kind::Trust && (text.is_empty() || text.contains(['*', '?'])) => {
            Err(ParseError::InvalidFederated { value: text.to_owned() })
        }
        _ if text.is_empty() || text.contains(['*', '?']) => Err(invalid()),
        "Service" if text.contains('.') => Ok(PrincipalPattern::Service(text.into())),
        "Service" => Err(invalid()),
        "Federated" => Ok(PrincipalPattern::Federated(text.into())),
        "CanonicalUser" => Ok(PrincipalPattern::CanonicalUser),
        _ => Err(ParseError::syntax(format!("Principal of type {name:?}"))),
    }
}

#[cfg(test)]
mod tests;
