//! What a decision costs with many principals in the store: those whose callers are kept, and those
//! that are read and compiled anew. `HAECHI_PRINCIPALS=1000000` makes that many.
//!
//! Each has an access key and an inline policy of about 2 KB of its own. A decision here is what a
//! request pays: the look-up of the access key, then the evaluation of the caller's policies.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot set itself up has nothing to measure"
)]

use std::hint::black_box;
use std::sync::Arc;

use haechi_core::{AccountId, Caller, Handle, Identities, Operation};
use haechi_iam::Iam;
use haechi_iam_model::ops::{CreateAccessKey, CreateUser, PutUserPolicy};
use haechi_iam_model::shapes::{CreateAccessKeyRequest, CreateUserRequest, PutUserPolicyRequest};
use haechi_policy::{ContextMap, Policies, Request, evaluate};
use haechi_testkit::Kit;

const PRINCIPALS_DEFAULT: usize = 20_000;
/// Users of one account.
const PER_ACCOUNT: usize = 2_000;
/// Principals that call again and again.
const WARM: usize = 2_000;
/// Decisions of a round, and rounds.
const DECISIONS: usize = 200_000;
const ROUNDS: usize = 5;
/// Decisions about principals that are read for the first time.
const COLD: usize = 18_000;

async fn call<Op: Operation>(
    kit: &Kit,
    iam: &Iam,
    root: &Arc<Caller>,
    input: Op::Input,
) -> Op::Output
where
    Iam: Handle<Op>,
{
    kit.call::<Op, _>(iam, root, input).await.map_err(|_| ()).unwrap()
}

/// Users with a policy and a key each; the ids of the keys.
async fn principals(kit: &Kit, iam: &Iam, count: usize) -> Vec<String> {
    let filler: Vec<String> =
        (0..16).map(|number| format!("arn:aws:sqs:*:*:queue-{number:080}")).collect();
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:*","Resource":["{}"]}},{{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"}}]}}"#,
        filler.join("\",\"")
    );
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        let account = format!("{:012}", 100_000_000_000 + number / PER_ACCOUNT);
        if number % PER_ACCOUNT == 0 {
            assert!(iam.create_account(&AccountId::parse(&account).unwrap()).await.unwrap());
        }
        let root = kit.root(&account);
        let user_name = format!("user-{number}");
        let request = CreateUserRequest { user_name: user_name.clone(), ..Default::default() };
        call::<CreateUser>(kit, iam, &root, request).await;
        let request = CreateAccessKeyRequest { user_name: Some(user_name.clone()) };
        let key = call::<CreateAccessKey>(kit, iam, &root, request).await.access_key;
        let request = PutUserPolicyRequest {
            user_name,
            policy_name: "own".to_owned(),
            policy_document: document.clone(),
        };
        call::<PutUserPolicy>(kit, iam, &root, request).await;
        ids.push(key.access_key_id);
    }
    ids
}

/// One request's look-up and decision.
async fn decide(iam: &Iam, id: &str) {
    let credential = iam.credential(black_box(id), None).await.unwrap().unwrap();
    let caller = &credential.caller;
    let context = ContextMap::new();
    let policies = Policies { identity: &caller.policies.identity, ..Policies::default() };
    let request = Request {
        principal: &caller.principal,
        action: "kms:Encrypt",
        resource: "arn:aws:kms:us-east-1:100000000000:key/1",
        resource_account: caller.account.as_str(),
        context: &context,
    };
    assert!(black_box(evaluate(&policies, &request)).is_allowed());
}

/// Nanoseconds of CPU time of a decision, the least of some rounds.
async fn measure(iam: &Iam, mut next: impl FnMut() -> String) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let ids: Vec<String> = (0..DECISIONS).map(|_| next()).collect();
        let start = cpu_ns();
        for id in &ids {
            decide(iam, id).await;
        }
        least = least.min((cpu_ns() - start) / DECISIONS as f64);
    }
    least
}

/// CPU time of this thread: others who use the machine do not count.
fn cpu_ns() -> f64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split(' ').next().unwrap().parse().unwrap()
}

/// Memory that the process takes, in KiB.
fn resident_kib() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    4.0 * pages.split(' ').nth(1).unwrap().parse::<f64>().unwrap()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(tables());
}

/// Some of the callers, again and again; also what one takes in memory, in KiB, where they are new.
async fn kept(iam: &Iam, callers: &[&String]) -> (f64, f64) {
    let before = resident_kib();
    for id in callers {
        decide(iam, id).await;
    }
    let each = (resident_kib() - before) / callers.len() as f64;
    let mut at = 0;
    let kept = measure(iam, || {
        at = (at + 7) % callers.len();
        callers[at].clone()
    })
    .await;
    (kept, each)
}

/// Nanoseconds of CPU time of a decision about each of some who have not called before.
async fn anew(iam: &Iam, others: impl Iterator<Item = &String>) -> f64 {
    let (mut count, start) = (0, cpu_ns());
    for id in others {
        decide(iam, id).await;
        count += 1;
    }
    (cpu_ns() - start) / f64::from(count.max(1))
}

/// Takes up the memory that making principals has freed, in pieces all over the heap: callers that
/// are kept in them lie further apart than those of a node that has only answered requests.
fn fill_holes() {
    const ENOUGH_KIB: f64 = 512.0 * 1024.0;
    let (before, mut pieces) = (resident_kib(), Vec::new());
    // It does not grow while there are holes.
    while resident_kib() < before + ENOUGH_KIB {
        pieces.extend((0..10_000).map(|number| vec![1_u8; 8 + number * 37 % 500]));
    }
    std::mem::forget(pieces);
}

async fn tables() {
    let wished = std::env::var("HAECHI_PRINCIPALS").ok().and_then(|text| text.parse().ok());
    let count = wished.unwrap_or(PRINCIPALS_DEFAULT);
    println!(
        "| principals in the store | accounts of the 2,000 that call | CPU ns a decision, kept | \
         read anew | KiB a kept principal |"
    );
    println!("|--:|--:|--:|--:|--:|");
    for count in [WARM, count] {
        let kit = Kit::new().await;
        let iam = Iam::new(Arc::clone(&kit.database), kit.env.clone());
        let ids = principals(&kit, &iam, count).await;
        fill_holes();
        let of_one: Vec<&String> = ids.iter().take(WARM).collect();
        let (ns, each) = kept(&iam, &of_one).await;
        println!("| {count} | 1 | {ns:.0} | - | {each:.1} |");
        if count > WARM {
            of_all(&iam, &ids).await;
        }
    }
}

/// Callers of all accounts, and others that are read anew.
async fn of_all(iam: &Iam, ids: &[String]) {
    let (count, step) = (ids.len(), ids.len() / WARM);
    let accounts = count.div_ceil(PER_ACCOUNT);
    let callers: Vec<&String> = ids.iter().skip(1).step_by(step).take(WARM).collect();
    let (ns, each) = kept(iam, &callers).await;
    let later = ids.iter().enumerate().skip(WARM);
    let others = later.filter(|(number, _)| number % step != 1).map(|(_, id)| id);
    let cold = anew(iam, others.take(COLD)).await;
    println!("| {count} | {accounts} | {ns:.0} | {cold:.0} | {each:.1} |");
}
