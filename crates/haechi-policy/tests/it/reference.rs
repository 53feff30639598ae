//! A second evaluator: naive, slow, on the JSON itself, each rule as its documentation page says
//! it. It shares no code with the crate, so that the two agree only if both are right.

use std::collections::BTreeMap;
use std::net::IpAddr;

use haechi_policy::Principal;
use serde_json::Value;

/// What applies to a request; policies are whole JSON documents.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub who: String,
    pub action: String,
    pub resource: String,
    pub account: String,
    pub context: BTreeMap<String, Vec<String>>,
    pub identity: Vec<Value>,
    pub boundary: Option<Value>,
    pub session: Option<Vec<Value>>,
    pub scp: Vec<Vec<Value>>,
    pub rcp: Vec<Vec<Value>>,
    pub resource_policy: Option<Value>,
    pub root_of_trust: bool,
}

/// `allow …`, `explicit …` or `implicit …`, as the tables write it.
pub fn decide(world: &World, who: &Principal) -> String {
    let one = |policy: &Value| vec![policy.clone()];
    // "the enforcement code looks for a Deny statement that applies to the request", in all.
    let mut all: Vec<(&str, Vec<Value>)> = Vec::new();
    all.extend(world.rcp.iter().map(|level| ("rcp", level.clone())));
    all.extend(world.scp.iter().map(|level| ("scp", level.clone())));
    all.extend(world.resource_policy.iter().map(|policy| ("resource", one(policy))));
    all.push(("identity", world.identity.clone()));
    all.extend(world.boundary.iter().map(|policy| ("boundary", one(policy))));
    all.extend(world.session.iter().map(|policies| ("session", policies.clone())));
    for (kind, policies) in &all {
        if applying(world, who, policies, "Deny").next().is_some() {
            return format!("explicit {kind}");
        }
    }
    for kind in ["rcp", "scp"] {
        for (_, level) in all.iter().filter(|(name, _)| *name == kind) {
            if applying(world, who, level, "Allow").next().is_none() {
                return format!("implicit {kind}");
            }
        }
    }
    let grants: Vec<Grant> = world
        .resource_policy
        .iter()
        .flat_map(statements)
        .filter(|(_, statement)| statement["Effect"] == "Allow")
        .filter(|(variables, statement)| rest_applies(world, *variables, statement))
        .map(|(_, statement)| grant(&statement, who))
        .collect();
    let granted = |grant: Grant| grants.contains(&grant);
    let any_grant = grants.iter().any(|grant| *grant != Grant::None);
    let Some(account) = who.account() else {
        return if any_grant { "allow resource" } else { "implicit resource" }.to_owned();
    };
    let root = matches!(who, Principal::Root { .. });
    let allows = |policies: &[Value]| applying(world, who, policies, "Allow").next().is_some();
    let identity = root || allows(&world.identity);
    let boundary = world.boundary.as_ref().is_none_or(|policy| allows(&one(policy)));
    let federated = matches!(who, Principal::FederatedUser { .. });
    let session = world.session.as_ref().map_or(!federated, |policies| allows(policies));
    let limits = |allowed: &str| {
        if !boundary {
            "implicit boundary".to_owned()
        } else if !session {
            "implicit session".to_owned()
        } else {
            allowed.to_owned()
        }
    };
    if world.account != account {
        return if !any_grant {
            "implicit resource".to_owned()
        } else if !identity {
            "implicit identity".to_owned()
        } else {
            limits("allow both")
        };
    }
    if granted(Grant::Direct) {
        return "allow resource".to_owned();
    }
    if granted(Grant::ThroughRoleOrUser) {
        return limits("allow resource");
    }
    if world.root_of_trust && !granted(Grant::ToAccount) {
        return "implicit resource".to_owned();
    }
    if !identity {
        return "implicit identity".to_owned();
    }
    limits(if root { "allow root" } else { "allow identity" })
}

/// The statements of a policy, and whether it has variables.
fn statements(policy: &Value) -> Vec<(bool, Value)> {
    let variables = policy["Version"] == "2012-10-17";
    let list = match &policy["Statement"] {
        Value::Array(list) => list.clone(),
        single => vec![single.clone()],
    };
    list.into_iter().map(|statement| (variables, statement)).collect()
}

fn applying<'a>(
    world: &'a World,
    who: &'a Principal,
    policies: &'a [Value],
    effect: &'a str,
) -> impl Iterator<Item = Value> + 'a {
    policies
        .iter()
        .flat_map(statements)
        .filter(move |(_, statement)| statement["Effect"] == effect)
        .filter(move |(variables, statement)| rest_applies(world, *variables, statement))
        .map(|(_, statement)| statement)
        .filter(move |statement| {
            if effect == "Deny" {
                denies(statement, who, world.boundary.is_some())
            } else {
                grant(statement, who) != Grant::None
            }
        })
}

/// Action, resource and condition.
fn rest_applies(world: &World, variables: bool, statement: &Value) -> bool {
    let action = |entry: &str| {
        like(&characters(&entry.to_lowercase()), &letters(&world.action.to_lowercase()))
    };
    let resource = |entry: &str| resource_like(world, variables, entry);
    element(statement, "Action", action)
        && element(statement, "Resource", resource)
        && conditions(world, variables, statement)
}

fn element(statement: &Value, name: &str, matches: impl Fn(&str) -> bool) -> bool {
    let negated = format!("Not{name}");
    if let Some(entries) = statement.get(&negated) {
        return !strings(entries).iter().any(|entry| matches(entry));
    }
    statement.get(name).is_none_or(|entries| strings(entries).iter().any(|entry| matches(entry)))
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(strings).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

// ------------------------------------------------------------------- principals

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    None,
    ToAccount,
    ThroughRoleOrUser,
    Direct,
}

/// The names of a principal, and what an Allow to each is worth.
fn names(who: &Principal) -> Vec<(String, Grant)> {
    let account =
        |id: &str, grant| vec![(id.to_owned(), grant), (format!("arn:aws:iam::{id}:root"), grant)];
    let mut names = Vec::new();
    match who {
        Principal::Root { account: id, .. } => names.extend(account(id, Grant::Direct)),
        Principal::User { arn, unique_id, account: id } => {
            names.extend([(arn.clone(), Grant::Direct), (unique_id.clone(), Grant::Direct)]);
            names.extend(account(id, Grant::ToAccount));
        }
        Principal::AssumedRole { session_arn, role_arn, role_unique_id, account: id, .. } => {
            names.push((session_arn.clone(), Grant::Direct));
            names.push((role_arn.clone(), Grant::ThroughRoleOrUser));
            names.push((role_unique_id.clone(), Grant::ThroughRoleOrUser));
            names.extend(account(id, Grant::ToAccount));
        }
        Principal::FederatedUser { session_arn, user_arn, user_unique_id, account: id } => {
            names.push((session_arn.clone(), Grant::Direct));
            names.extend(user_arn.iter().map(|arn| (arn.clone(), Grant::ThroughRoleOrUser)));
            names.extend(user_unique_id.iter().map(|id| (id.clone(), Grant::ThroughRoleOrUser)));
            names.extend(account(id, Grant::ToAccount));
        }
        Principal::Federated { provider: name } | Principal::Service { name } => {
            names.push((name.clone(), Grant::Direct));
        }
        Principal::Anonymous => {}
    }
    names
}

/// The grants that the entries of an element are worth, strongest last.
fn grants(element: &Value, who: &Principal) -> Vec<Grant> {
    let entries = match element {
        Value::Object(kinds) => kinds.values().flat_map(strings).collect(),
        other => strings(other),
    };
    let mut grants = Vec::new();
    for entry in entries {
        if entry == "*" {
            grants.push(Grant::Direct);
        }
        grants
            .extend(names(who).iter().filter(|(name, _)| *name == entry).map(|(_, grant)| *grant));
    }
    grants.sort_by_key(|grant| *grant as u8);
    grants
}

fn grant(statement: &Value, who: &Principal) -> Grant {
    if let Some(element) = statement.get("NotPrincipal") {
        return if grants(element, who).is_empty() { Grant::Direct } else { Grant::None };
    }
    match statement.get("Principal") {
        Some(element) => grants(element, who).last().copied().unwrap_or(Grant::None),
        None => Grant::Direct,
    }
}

fn denies(statement: &Value, who: &Principal, boundary: bool) -> bool {
    if let Some(element) = statement.get("NotPrincipal") {
        if boundary {
            return true;
        }
        if *element == "*" || strings(&element["AWS"]).iter().any(|entry| entry == "*") {
            return false;
        }
        // All that the principal is must be listed: account, role or user, session.
        let found = grants(element, who);
        let mut wanted: Vec<Grant> = names(who).into_iter().map(|(_, grant)| grant).collect();
        wanted.dedup();
        return wanted.is_empty() || !wanted.iter().all(|grant| found.contains(grant));
    }
    grant(statement, who) != Grant::None
}

// -------------------------------------------------------------------- wildcards

#[derive(Clone, Debug, PartialEq)]
enum Symbol {
    Letter(char),
    One,
    Many,
    /// As `One` and `Many`, within an ARN segment.
    OneHere,
    ManyHere,
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn characters(pattern: &str) -> Vec<Symbol> {
    let symbol = |character| match character {
        '*' => Symbol::Many,
        '?' => Symbol::One,
        other => Symbol::Letter(other),
    };
    pattern.chars().map(symbol).collect()
}

fn like(pattern: &[Symbol], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Symbol::Letter(wanted), rest)) => {
            text.first() == Some(wanted) && like(rest, &text[1..])
        }
        Some((Symbol::One, rest)) => !text.is_empty() && like(rest, &text[1..]),
        Some((Symbol::OneHere, rest)) => {
            text.first().is_some_and(|letter| *letter != ':') && like(rest, &text[1..])
        }
        Some((Symbol::Many, rest)) => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        Some((Symbol::ManyHere, rest)) => (0..=text.len())
            .take_while(|skip| !text[..*skip].contains(&':'))
            .any(|skip| like(rest, &text[skip..])),
    }
}

/// The pattern with variables replaced from some colon on; `None` if one has no value.
fn with_variables(
    world: &World,
    pattern: &str,
    wildcards: bool,
    colons: usize,
) -> Option<Vec<Symbol>> {
    let letters = letters(pattern);
    let mut symbols = Vec::new();
    let (mut at, mut seen) = (0, 0);
    while at < letters.len() {
        let rest: String = letters[at..].iter().collect();
        if seen >= colons && rest.starts_with("${") && rest.contains('}') {
            let end = rest.find('}').unwrap();
            let inside = &rest[2..end];
            at += rest[..=end].chars().count();
            let text = match inside {
                "*" | "?" | "$" => inside.to_owned(),
                _ => {
                    let (key, default) = match inside.split_once(", ") {
                        Some((key, default)) => (key, Some(default.trim_matches('\''))),
                        None => (inside, None),
                    };
                    match world.context.get(&key.to_lowercase()).map(Vec::as_slice) {
                        Some([only]) => only.clone(),
                        _ => default?.to_owned(),
                    }
                }
            };
            symbols.extend(text.chars().map(Symbol::Letter));
            continue;
        }
        let ends_segment = matches!(letters.get(at + 1), None | Some(':'));
        symbols.push(match letters[at] {
            '*' if wildcards && seen < 5 && colons == 5 && !ends_segment => Symbol::ManyHere,
            '?' if wildcards && seen < 5 && colons == 5 => Symbol::OneHere,
            '*' if wildcards => Symbol::Many,
            '?' if wildcards => Symbol::One,
            other => Symbol::Letter(other),
        });
        seen += usize::from(letters[at] == ':');
        at += 1;
    }
    Some(symbols)
}

fn resource_like(world: &World, variables: bool, entry: &str) -> bool {
    let text = letters(&world.resource);
    if variables {
        return with_variables(world, entry, true, 5).is_some_and(|pattern| like(&pattern, &text));
    }
    let mut plain = world.clone();
    plain.context.clear();
    let literal = entry.replace("${", "\u{1}");
    let text = letters(&world.resource.replace("${", "\u{1}"));
    with_variables(&plain, &literal, true, 5).is_some_and(|pattern| like(&pattern, &text))
}

// ------------------------------------------------------------------- conditions

fn conditions(world: &World, variables: bool, statement: &Value) -> bool {
    let Some(Value::Object(operators)) = statement.get("Condition") else { return true };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().unwrap();
        keys.iter()
            .all(|(key, wanted)| condition(world, variables, operator, key, &strings(wanted)))
    })
}

fn condition(world: &World, variables: bool, name: &str, key: &str, wanted: &[String]) -> bool {
    let values = world.context.get(&key.to_lowercase()).filter(|values| !values.is_empty());
    let all_empty = |values: &Vec<String>| values.iter().all(String::is_empty);
    if name == "Null" {
        let null = values.is_none_or(all_empty).to_string();
        return wanted.contains(&null);
    }
    let (set, name) = name.split_once(':').map_or(("", name), |(set, name)| (set, name));
    let (name, if_exists) = match name.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let negated = name.contains("Not");
    let positive = name.replace("Not", "");
    let one = |value: &String, wanted: &String| matches(world, variables, &positive, value, wanted);
    let matches_any = |value: &String| wanted.iter().any(|wanted| one(value, wanted));
    match (set, values) {
        (_, None) if if_exists => true,
        ("ForAllValues", None) => true,
        ("ForAllValues", Some(values)) => {
            all_empty(values) || values.iter().all(|value| matches_any(value) != negated)
        }
        ("ForAnyValue", None) => false,
        ("ForAnyValue", Some(values)) => {
            !all_empty(values) && values.iter().any(|value| matches_any(value) != negated)
        }
        (_, None) => negated,
        (_, Some(values)) => values.iter().any(matches_any) != negated,
    }
}

/// One value against one operand, by an operator without its negation.
fn matches(world: &World, variables: bool, operator: &str, value: &str, wanted: &str) -> bool {
    let pattern = |wildcards: bool| {
        if variables {
            return with_variables(world, wanted, wildcards, 0);
        }
        Some(if wildcards {
            characters(wanted)
        } else {
            wanted.chars().map(Symbol::Letter).collect()
        })
    };
    let text = |value: &str| value.to_lowercase();
    let spelled = |symbols: Vec<Symbol>| -> String {
        let letter = |symbol: &Symbol| match symbol {
            Symbol::Letter(letter) => *letter,
            other => panic!("{other:?}"),
        };
        symbols.iter().map(letter).collect()
    };
    match operator {
        "StringEquals" => pattern(false).is_some_and(|wanted| spelled(wanted) == value),
        "StringEqualsIgnoreCase" | "Bool" => {
            pattern(false).is_some_and(|wanted| text(&spelled(wanted)) == text(value))
        }
        "StringLike" => pattern(true).is_some_and(|pattern| like(&pattern, &letters(value))),
        "ArnEquals" | "ArnLike" => arn_like(pattern(true), wanted, value),
        "BinaryEquals" => wanted == value,
        "IpAddress" => address_in(value, wanted),
        _ => {
            let order = if let Some(comparison) = operator.strip_prefix("Numeric") {
                (comparison, value.parse::<f64>().ok().zip(wanted.parse::<f64>().ok()))
            } else {
                (operator.strip_prefix("Date").unwrap(), moment(value).zip(moment(wanted)))
            };
            let (comparison, Some((value, wanted))) = order else { return false };
            match comparison {
                "Equals" => value == wanted,
                "LessThan" => value < wanted,
                "LessThanEquals" => value <= wanted,
                "GreaterThan" => value > wanted,
                "GreaterThanEquals" => value >= wanted,
                other => panic!("no comparison {other}"),
            }
        }
    }
}

fn arn_like(pattern: Option<Vec<Symbol>>, source: &str, value: &str) -> bool {
    if source == "*" {
        return true;
    }
    let Some(pattern) = pattern else { return false };
    let pattern: Vec<&[Symbol]> =
        pattern.splitn(6, |symbol| *symbol == Symbol::Letter(':')).collect();
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    pattern.len() == 6
        && parts.len() == 6
        && pattern.iter().zip(parts).all(|(pattern, part)| like(pattern, &letters(part)))
}

fn address_in(address: &str, network: &str) -> bool {
    let bits = |address: &str| -> Option<String> {
        Some(match address.parse().ok()? {
            IpAddr::V4(v4) => v4.octets().iter().map(|byte| format!("{byte:08b}")).collect(),
            IpAddr::V6(v6) => v6.octets().iter().map(|byte| format!("{byte:08b}")).collect(),
        })
    };
    let (network, length) = network.split_once('/').unwrap_or((network, "128"));
    let (Some(address), Some(network)) = (bits(address), bits(network)) else { return false };
    let length = length.parse::<usize>().unwrap().min(network.len());
    address.len() == network.len() && address[..length] == network[..length]
}

/// The moments that the properties use, in seconds since 1970, looked up elsewhere.
fn moment(text: &str) -> Option<f64> {
    Some(match text {
        "2020-01-01" | "2020-01-01T00:00:00Z" | "1577836800" => 1_577_836_800.0,
        "2020-01-01T00:00:00.5Z" => 1_577_836_800.5,
        "2020-01-01T02:00:00+01:00" => 1_577_840_400.0,
        "2024-02-29T12:00Z" => 1_709_208_000.0,
        // A year, as IAM reads it: 3 BC.
        "-2" => -62_230_291_200.0,
        // What is no date of theirs is a number of seconds, or nothing.
        other if other.contains(['-', '*']) => return None,
        other => other.parse().ok()?,
    })
}
