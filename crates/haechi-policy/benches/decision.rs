//! The cost of one decision, as a ratio to a floor measured in the same run.
//!
//! The floor is what no evaluator can do without: comparing the action of the request with the
//! first action entry of each of ten policies, as plain strings. Policies are about 2 KB each.
//! `cargo xtask bench policy` prints the table at the end alone.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot set itself up has nothing to measure"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use haechi_policy::{ContextMap, Document, Kind, Policies, Principal, Request, evaluate};

const POLICY_BYTES: usize = 2048;
const ACCOUNT: &str = "123456789012";

/// A policy of about 2 KB, as people write them: some services, read-only actions, one resource,
/// a condition here and there.
fn policy_text(number: usize, last: &str) -> String {
    let mut statements = vec![last.to_owned()];
    for statement in 0.. {
        let service = ["ssm", "ec2", "kms", "dynamodb", "sqs"][(number + statement) % 5];
        statements.push(format!(
            r#"{{"Sid":"S{number}x{statement}","Effect":"Allow","Action":["{service}:Describe*","{service}:GetItem{statement}","{service}:List*"],"Resource":"arn:aws:{service}:eu-*:{ACCOUNT}:thing/{number}/*","Condition":{{"StringEquals":{{"aws:PrincipalTag/team":"red"}}}}}}"#
        ));
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        if text.len() >= POLICY_BYTES {
            return text;
        }
    }
    unreachable!("the loop ends by returning")
}

fn documents(count: usize) -> Vec<Arc<Document>> {
    let allow = r#"{"Effect":"Allow","Action":"kms:Encrypt","Resource":"arn:aws:kms:*:123456789012:key/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#;
    let other = r#"{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#;
    (0..count)
        .map(|number| {
            // Only the last policy allows, so that every one is read.
            let last = if number + 1 == count { allow } else { other };
            let text = policy_text(number, last);
            Arc::new(Document::parse(&text, Kind::Identity).expect("a policy"))
        })
        .collect()
}

fn decisions(criterion: &mut Criterion) {
    let principal = Principal::User {
        arn: format!("arn:aws:iam::{ACCOUNT}:user/alice"),
        unique_id: "AIDAEXAMPLE".to_owned(),
        account: ACCOUNT.to_owned(),
    };
    let context =
        ContextMap::new().with("aws:SecureTransport", "true").with("aws:PrincipalTag/team", "blue");
    let request = Request {
        principal: &principal,
        action: "kms:Encrypt",
        resource: "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        resource_account: ACCOUNT,
        context: &context,
    };
    let mut group = criterion.benchmark_group("decision");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let entries: Vec<String> = (0..10).map(|number| format!("kms:Encryp{number}")).collect();
    let mut floor = || {
        let action = black_box(request.action);
        entries.iter().filter(|entry| entry.as_str() == action).count()
    };
    group.bench_function("floor", |bencher| bencher.iter(&mut floor));
    for count in [1, 10, 100] {
        let identity = documents(count);
        let policies = Policies { identity: &identity, ..Policies::default() };
        assert!(evaluate(&policies, &request).is_allowed());
        group.bench_with_input(BenchmarkId::new("policies", count), &count, |bencher, _| {
            bencher.iter(|| evaluate(black_box(&policies), black_box(&request)));
        });
    }
    group.bench_function("parse 2 KB", |bencher| {
        let text = policy_text(0, r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
        bencher.iter(|| Document::parse(black_box(&text), Kind::Identity));
    });
    group.finish();

    table(&request, &mut floor);
}

/// Principals that are compiled to see what one takes.
const PRINCIPALS: usize = 2000;

/// What docs/performance.md shows.
fn table(request: &Request<'_>, floor: &mut impl FnMut() -> usize) {
    let floor = time(|| {
        black_box(floor());
    });
    println!("\nfloor: {floor:.0} ns\n");
    println!("| policies of 2 KB | ns a decision | decisions/s | of the floor | KiB a principal |");
    println!("|--:|--:|--:|--:|--:|");
    // Kept to the end, so that none takes the place of another.
    let mut kept = Vec::new();
    for count in [1, 10, 100] {
        let identity = documents(count);
        let policies = Policies { identity: &identity, ..Policies::default() };
        let decision = time(|| {
            black_box(evaluate(black_box(&policies), black_box(request)));
        });
        let before = resident_kib();
        let principals = PRINCIPALS / count;
        kept.extend((0..principals).map(|_| documents(count)));
        let each = (resident_kib() - before) / principals as f64;
        let (per_second, ratio) = (1e9 / decision, decision / floor);
        println!("| {count} | {decision:.0} | {per_second:.0} | {ratio:.1} | {each:.0} |");
    }
}

/// Memory that the process takes, in KiB.
fn resident_kib() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = pages.split(' ').nth(1).and_then(|text| text.parse().ok());
    4.0 * f64::from(pages.unwrap_or(0_u32))
}

/// Nanoseconds of one call, the least of several rounds.
fn time(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 20_000;
    (0..10)
        .map(|_| {
            let start = Instant::now();
            (0..CALLS).for_each(|_| call());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .fold(f64::INFINITY, f64::min)
}

criterion_group!(benches, decisions);
criterion_main!(benches);
