//! What holds for every policy. `HAECHI_POLICY_CASES=1000000` runs as many random cases of each.

use std::sync::Arc;

use haechi_policy::{
    Allowed, ContextMap, Decision, Document, Kind, Policies, Request, ResourceRule, evaluate,
    explain, statement_positions,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::cast::principal;
use crate::reference::{World, decide};

const CASES_DEFAULT: u32 = 2_000;

fn config() -> ProptestConfig {
    let cases = std::env::var("HAECHI_POLICY_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(CASES_DEFAULT),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

const ACTIONS: [&str; 8] = ["a:B", "a:*", "*", "A:?", "a:BB", "b:*b*", "*:b", "b:Bob"];
const RESOURCES: [&str; 12] = [
    "*",
    "arn:aws:s:r:1:x",
    "arn:aws:s:*:1:x",
    "arn:aws:s:r:1:x*",
    "arn:aws:s:*r:1:x/?",
    "arn:aws:s:r*",
    "arn:aws:s:?:1:*/${aws:username}",
    "arn:aws:s:r:1:${aws:username, 'x'}",
    "arn:aws:s:r:1:${*}",
    "arn:aws:s:${aws:username}:1:x",
    "arn:aws:s:r:1:x/*y*",
    "arn:aws:s:*:*:é?",
];
const PRINCIPALS: [&str; 11] = [
    "*",
    "123456789012",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::999999999999:root",
    "arn:aws:iam::123456789012:user/alice",
    "arn:aws:iam::999999999999:user/mallory",
    "arn:aws:iam::123456789012:role/app/reader",
    "arn:aws:sts::123456789012:assumed-role/reader/s1",
    "arn:aws:sts::123456789012:federated-user/bob",
    "AIDAALICEEXAMPLE0000",
    "AROAREADEREXAMPLE000",
];
const CAST: [&str; 10] = [
    "root",
    "other-root",
    "alice",
    "mallory",
    "session",
    "other-session",
    "federated",
    "google",
    "kms",
    "anonymous",
];
const KEYS: [&str; 5] = ["aws:username", "aws:Tag/K", "k:Many", "aws:Time", "aws:absent"];
const TEXTS: [&str; 11] =
    ["", "x", "X", "*", "x*", "x/y", "?", "${aws:username}", "${aws:Tag/k, 'x'}", "${*}x", "x*x*x"];
const NUMBERS: [&str; 5] = ["1", "1.0", "-2", "10", "3.5"];
const MOMENTS: [&str; 6] = [
    "2020-01-01",
    "1577836800",
    "2020-01-01T00:00:00.5Z",
    "2020-01-01T02:00:00+01:00",
    "2024-02-29T12:00Z",
    "0",
];
const ADDRESSES: [&str; 5] = ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::1"];
const ARNS: [&str; 7] = [
    "*",
    "arn:aws:s:r:1:x",
    "arn:aws:s:*:1:x*",
    "arn:*:?:r:*:*/y",
    "arn:aws:s:r:1:${aws:username}",
    "${aws:username}",
    "arn:aws:s*",
];
const BOOLEANS: [&str; 3] = ["true", "false", "TRUE"];

fn condition() -> impl Strategy<Value = (String, String, Vec<&'static str>)> {
    let texts = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
    ];
    let comparisons =
        ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];
    let operand = prop_oneof![
        4 => (select(texts.to_vec()), vec(select(&TEXTS[..]), 1..3))
            .prop_map(|(operator, wanted)| (operator.to_owned(), wanted)),
        1 => (select(comparisons.to_vec()), vec(select(&NUMBERS[..]), 1..3))
            .prop_map(|(comparison, wanted)| (format!("Numeric{comparison}"), wanted)),
        1 => (select(comparisons.to_vec()), vec(select(&MOMENTS[..]), 1..3))
            .prop_map(|(comparison, wanted)| (format!("Date{comparison}"), wanted)),
        1 => (select(vec!["IpAddress", "NotIpAddress"]), vec(select(&ADDRESSES[..]), 1..3))
            .prop_map(|(operator, wanted)| (operator.to_owned(), wanted)),
        2 => (
            select(vec!["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]),
            vec(select(&ARNS[..]), 1..3),
        )
            .prop_map(|(operator, wanted)| (operator.to_owned(), wanted)),
        1 => vec(select(&BOOLEANS[..]), 1..2).prop_map(|wanted| ("Bool".to_owned(), wanted)),
        1 => select(vec!["true", "false"]).prop_map(|wanted| ("Null".to_owned(), vec![wanted])),
    ];
    let around = (select(vec!["", "", "ForAllValues:", "ForAnyValue:"]), any::<bool>());
    (operand, around, select(&KEYS[..])).prop_map(|((name, wanted), (set, if_exists), key)| {
        let suffix = if if_exists { "IfExists" } else { "" };
        let name = if name == "Null" { name } else { format!("{set}{name}{suffix}") };
        (name, key.to_owned(), wanted)
    })
}

/// A statement without principal.
fn statement() -> impl Strategy<Value = Value> {
    (
        prop_oneof![2 => Just("Allow"), 1 => Just("Deny")],
        (select(vec!["Action", "Action", "NotAction"]), vec(select(&ACTIONS[..]), 1..3)),
        (select(vec!["Resource", "Resource", "NotResource"]), vec(select(&RESOURCES[..]), 1..3)),
        vec(condition(), 0..3),
    )
        .prop_map(|(effect, (action, actions), (resource, resources), conditions)| {
            let mut statement = json!({"Effect": effect, action: actions, resource: resources});
            for (operator, key, wanted) in conditions {
                statement["Condition"][operator][key] = json!(wanted);
            }
            statement
        })
}

fn with_principal() -> impl Strategy<Value = Value> {
    let element = prop_oneof![
        1 => Just(json!("*")),
        4 => vec(select(&PRINCIPALS[..]), 1..4).prop_map(|list| json!({"AWS": list})),
        1 => Just(json!({"Service": "kms.amazonaws.com", "Federated": "accounts.google.com"})),
    ];
    (statement(), select(vec!["Principal", "Principal", "Principal", "NotPrincipal"]), element)
        .prop_map(|(mut statement, name, element)| {
            statement[name] = element;
            statement
        })
}

fn policy(statement: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (vec(statement, 1..4), prop_oneof![4 => Just("2012-10-17"), 1 => Just("2008-10-17")])
        .prop_map(|(statements, version)| json!({"Version": version, "Statement": statements}))
}

/// As `policy`, of a level that allows all more often than not.
fn control() -> impl Strategy<Value = Value> {
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    (policy(statement()), any::<bool>()).prop_map(move |(mut policy, open)| {
        if open {
            policy["Statement"].as_array_mut().unwrap().push(all.clone());
        }
        policy
    })
}

fn values() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        4 => select(&["x", "X", "", "x/y", "xx", "*", "x*"][..]),
        1 => select(&NUMBERS[..]),
        1 => select(&MOMENTS[..]),
        1 => select(&["10.0.0.1", "11.0.0.1", "2001:db8::9", "::1"][..]),
        1 => select(&["arn:aws:s:r:1:x", "arn:aws:s:q:1:x/y", "arn:aws:s:r:1:x:x"][..]),
        1 => select(&["true", "false"][..]),
    ];
    let text = text.prop_map(str::to_owned).boxed();
    prop_oneof![
        1 => vec(text.clone(), 0..1),
        6 => vec(text.clone(), 1..2),
        2 => vec(text, 2..4),
    ]
}

fn world() -> impl Strategy<Value = World> {
    let request = (
        select(&CAST[..]),
        select(&["a:b", "A:BB", "b:Bob", "c:d"][..]),
        select(
            &[
                "arn:aws:s:r:1:x",
                "arn:aws:s:q:1:x/y",
                "*",
                "arn:aws:s:r:1:1:x/y",
                "arn:aws:s:r:1:éé",
            ][..],
        ),
        select(&["123456789012", "123456789012", "999999999999"][..]),
        [option::of(values()), option::of(values()), option::of(values()), option::of(values())],
    );
    let policies = (
        vec(policy(statement()), 0..3),
        option::weighted(0.3, control()),
        option::weighted(0.3, vec(control(), 0..3)),
        vec(vec(control(), 1..3), 0..3),
        vec(vec(control(), 1..2), 0..2),
        option::weighted(0.6, policy(with_principal())),
        any::<bool>(),
    );
    (request, policies).prop_map(|(request, policies)| {
        let (who, action, resource, account, keys) = request;
        let (identity, boundary, session, scp, rcp, resource_policy, root_of_trust) = policies;
        let named = KEYS.iter().zip(keys);
        let context = named.filter_map(|(key, values)| Some((key.to_lowercase(), values?)));
        let mut rcp = rcp;
        for statement in
            rcp.iter_mut().flatten().flat_map(|p| p["Statement"].as_array_mut().unwrap())
        {
            statement["Principal"] = json!("*");
        }
        World {
            who: who.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            account: account.to_owned(),
            context: context.collect(),
            identity,
            boundary,
            session,
            scp,
            rcp,
            resource_policy,
            root_of_trust,
        }
    })
}

/// The decision of the crate, in the words of the reference; an explanation must agree.
fn compiled(world: &World) -> String {
    let parse = |policy: &Value, kind| {
        Document::parse(&policy.to_string(), kind).unwrap_or_else(|e| panic!("{e:?}: {policy}"))
    };
    let list = |policies: &[Value], kind| {
        policies.iter().map(|policy| Arc::new(parse(policy, kind))).collect::<Vec<_>>()
    };
    let levels = |levels: &[Vec<Value>], kind| {
        levels.iter().map(|level| list(level, kind)).collect::<Vec<_>>()
    };
    let identity = list(&world.identity, Kind::Identity);
    let boundary = world.boundary.as_ref().map(|policy| parse(policy, Kind::Boundary));
    let session = world.session.as_deref().map(|policies| list(policies, Kind::Session));
    let resource = world.resource_policy.as_ref().map(|policy| parse(policy, Kind::Resource));
    let (scp, rcp) =
        (levels(&world.scp, Kind::ServiceControl), levels(&world.rcp, Kind::ResourceControl));
    let policies = Policies {
        identity: &identity,
        boundary: boundary.as_ref(),
        session: session.as_deref(),
        service_control: &scp,
        resource_control: &rcp,
        resource: resource.as_ref(),
        resource_rule: if world.root_of_trust {
            ResourceRule::RootOfTrust
        } else {
            ResourceRule::Union
        },
    };
    let mut context = ContextMap::new();
    for (key, values) in &world.context {
        context.insert(key, values.clone());
    }
    let who = principal(&world.who);
    let request = Request {
        principal: &who,
        action: &world.action,
        resource: &world.resource,
        resource_account: &world.account,
        context: &context,
    };
    let decision = evaluate(&policies, &request);
    assert_eq!(explain(&policies, &request).decision, decision);
    match decision {
        Decision::Allow(Allowed::Root) => "allow root".to_owned(),
        Decision::Allow(Allowed::Identity) => "allow identity".to_owned(),
        Decision::Allow(Allowed::Resource) => "allow resource".to_owned(),
        Decision::Allow(Allowed::IdentityAndResource) => "allow both".to_owned(),
        Decision::Allow(Allowed::Grant) => panic!("policies alone decide here"),
        Decision::Deny(denial) => {
            let how = if denial.is_explicit() { "explicit" } else { "implicit" };
            let kind = match denial.kind() {
                Kind::Identity => "identity",
                Kind::Resource | Kind::Trust => "resource",
                Kind::Boundary => "boundary",
                Kind::Session => "session",
                Kind::ServiceControl => "scp",
                Kind::ResourceControl => "rcp",
            };
            format!("{how} {kind}")
        }
    }
}

/// Every policy of a world.
fn every_policy(world: &mut World) -> Vec<&mut Value> {
    let mut all: Vec<&mut Value> = Vec::new();
    all.extend(world.identity.iter_mut());
    all.extend(world.boundary.iter_mut());
    all.extend(world.session.iter_mut().flatten());
    all.extend(world.scp.iter_mut().flatten());
    all.extend(world.rcp.iter_mut().flatten());
    all.extend(world.resource_policy.iter_mut());
    all
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_compiled_evaluator_decides_as_the_naive_reference(world in world()) {
        let expected = decide(&world, &principal(&world.who));
        prop_assert_eq!(compiled(&world), expected);
    }

    #[test]
    fn a_condition_alone_is_met_as_in_the_reference(
        mut world in world(),
        (operator, key, wanted) in condition(),
    ) {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {operator: {key: wanted}},
        });
        world = World {
            who: "alice".to_owned(),
            identity: vec![json!({"Version": "2012-10-17", "Statement": statement})],
            context: world.context,
            action: world.action,
            resource: world.resource,
            account: "123456789012".to_owned(),
            ..World::default()
        };
        let expected = decide(&world, &principal("alice"));
        prop_assert_eq!(compiled(&world), expected);
    }

    #[test]
    fn adding_a_deny_never_allows_more(
        mut world in world(),
        mut added in with_principal(),
        place in any::<prop::sample::Index>(),
    ) {
        let before = compiled(&world);
        added["Effect"] = json!("Deny");
        let mut policies = every_policy(&mut world);
        if !policies.is_empty() {
            let policy = place.get_mut(&mut policies);
            let statements = policy["Statement"].as_array_mut().unwrap();
            for name in ["Principal", "NotPrincipal"] {
                if statements.iter().all(|statement| statement.get(name).is_none()) {
                    added.as_object_mut().unwrap().remove(name);
                }
            }
            if statements.iter().any(|s| s.get("Principal").is_some() || s.get("NotPrincipal").is_some())
                && added.get("Principal").is_none()
                && added.get("NotPrincipal").is_none()
            {
                added["Principal"] = json!("*");
            }
            if statements.iter().all(|statement| statement["Principal"] == "*") {
                added.as_object_mut().unwrap().remove("NotPrincipal");
                added["Principal"] = json!("*");
            }
            statements.push(added);
        }
        let after = compiled(&world);
        prop_assert!(before.starts_with("allow") || !after.starts_with("allow"), "{before} {after}");
    }

    #[test]
    fn the_order_of_statements_and_policies_never_matters(mut world in world()) {
        let before = compiled(&world);
        for policy in every_policy(&mut world) {
            policy["Statement"].as_array_mut().unwrap().reverse();
        }
        world.identity.reverse();
        prop_assert_eq!(compiled(&world), before);
    }

    #[test]
    fn every_statement_of_a_policy_has_a_place_in_its_text(
        policy in policy(with_principal()),
        pretty in any::<bool>(),
    ) {
        let text = if pretty { format!("{policy:#}") } else { policy.to_string() };
        let lines: Vec<&str> = text.lines().collect();
        let places = statement_positions(&text);
        prop_assert_eq!(places.len(), policy["Statement"].as_array().unwrap().len());
        for (start, end) in places {
            prop_assert!((start.line, start.column) < (end.line, end.column));
            let before_end = lines[end.line as usize - 1].chars().nth(end.column as usize - 2);
            prop_assert_eq!(before_end, Some('}'));
        }
    }

    #[test]
    fn parsing_never_panics_on_text_that_is_nearly_a_policy(
        policy in policy(with_principal()),
        cut in any::<prop::sample::Index>(),
        noise in "[\\PC\\n{}\\[\\]\",:$*?]{0,12}",
    ) {
        let text = policy.to_string();
        let mut at = cut.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        for text in [format!("{}{noise}{}", &text[..at], &text[at..]), noise] {
            for kind in [Kind::Identity, Kind::Resource, Kind::Trust, Kind::ResourceControl] {
                let _ = Document::parse(&text, kind);
            }
            let _ = statement_positions(&text);
        }
    }
}
