//! Nodes that claim shards with leased rows and run the jobs of their shards, as haechi's do: every
//! commit of a job demands that the shard's row is still the one that this node wrote, and that the
//! job is still the one that it read.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use haechi_store::{Cond, Key, LeaseId, Op, Range, Rev, Store, StoreError, TxnError};

use super::world::World;

const NODES: u64 = 3;
const SHARDS: u64 = 2;
const JOBS: u64 = 8;
const TTL: Duration = Duration::from_secs(2);
const STEPS: u64 = 200_000;

/// What commits demand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fencing {
    Full,
    /// Nothing: the control that shows that the simulation sees the difference.
    None,
}

/// A commit that was acknowledged: of which job, under which row of its shard.
struct Commit {
    job: u64,
    claim: Rev,
    rev: Rev,
}

type Commits = Rc<RefCell<Vec<Commit>>>;

/// Runs one schedule; what was broken.
pub fn run(seed: u64, fencing: Fencing) -> Vec<String> {
    let world = World::new(seed);
    schedule(&world, fencing)
}

/// What happened in one schedule, step by step.
pub fn trace(seed: u64) -> Vec<String> {
    let world = World::new(seed);
    schedule(&world, Fencing::Full);
    world.trace.take()
}

fn schedule(world: &World, fencing: Fencing) -> Vec<String> {
    let commits = Commits::default();
    let setup = world.store.clone();
    world.scheduler.spawn(async move {
        for job in 0..JOBS {
            setup.txn(&[], vec![Op::put(job_key(job), "due")]).await.unwrap();
        }
    });
    world.scheduler.run(STEPS);
    for node in 0..NODES {
        world.scheduler.spawn(live(world.clone(), node, fencing, commits.clone()));
    }
    let clock = world.clone();
    world.scheduler.spawn(async move { clock.time_passes().await });
    let calmer = world.clone();
    world.scheduler.spawn(async move {
        for _ in 0..200 {
            calmer.scheduler.pause(20).await;
        }
        calmer.calm_down();
    });
    world.scheduler.run(STEPS);
    let broken: Rc<RefCell<Vec<String>>> = Rc::default();
    world.scheduler.spawn(judge(world.clone(), commits, broken.clone()));
    world.scheduler.run(STEPS);
    broken.take()
}

fn job_key(job: u64) -> Key {
    Key::from(format!("/job/{job}"))
}

fn shard_key(shard: u64) -> Key {
    Key::from(format!("/shard/{shard}"))
}

/// A node's life: a lease, claims, jobs, until no job is left.
async fn live(world: World, node: u64, fencing: Fencing, commits: Commits) {
    let mut lease: Option<LeaseId> = None;
    let mut claims: BTreeMap<u64, Rev> = BTreeMap::new();
    loop {
        // Now and then a node is asleep for long.
        let nap = if world.scheduler.random(10) == 0 { 80 } else { 4 };
        world.scheduler.pause(nap).await;
        match world.range(Range::prefix("/job/")).await {
            Ok(jobs) if jobs.is_empty() => return,
            _ => {}
        }
        let Some(id) = lease else {
            claims.clear();
            lease = world.lease(TTL).await.ok().map(|lease| lease.id);
            continue;
        };
        if let Err(StoreError::LeaseNotFound { .. }) = world.keep_alive(id).await {
            lease = None;
            continue;
        }
        let shard = world.scheduler.random(SHARDS);
        if !claims.contains_key(&shard) {
            claim(&world, node, shard, id, &mut claims).await;
        }
        if let Some(rev) = claims.get(&shard).copied()
            && work(&world, node, (shard, rev), fencing, &commits).await
        {
            // A commit was refused: look whether the claim still stands.
            let row = world.get(&shard_key(shard)).await;
            if row.is_ok_and(|row| row.is_none_or(|row| row.create_rev != rev)) {
                claims.remove(&shard);
            }
        }
    }
}

/// Takes a shard that nobody has. After an answer that was lost the row tells; also when the shard
/// turns out to be taken, for it may be this node's own write that came late.
async fn claim(world: &World, node: u64, shard: u64, id: LeaseId, claims: &mut BTreeMap<u64, Rev>) {
    let name = format!("{node} {id}");
    let op = Op::put_leased(shard_key(shard), name.as_str(), id);
    match world.txn(vec![Cond::Absent(shard_key(shard))], vec![op]).await {
        Ok(rev) => {
            claims.insert(shard, rev);
        }
        Err(TxnError::Store(StoreError::Unanswered { .. }) | TxnError::Conflict(_)) => {
            if let Ok(Some(row)) = world.get(&shard_key(shard)).await
                && row.value.as_bytes() == name.as_bytes()
            {
                claims.insert(shard, row.create_rev);
            }
        }
        Err(_) => {}
    }
}

/// Runs one job of the shard, if there is one; whether its commit was refused.
async fn work(
    world: &World,
    node: u64,
    (shard, claim): (u64, Rev),
    fencing: Fencing,
    commits: &Commits,
) -> bool {
    let job = world.scheduler.random(JOBS / SHARDS) * SHARDS + shard;
    let Ok(Some(row)) = world.get(&job_key(job)).await else { return false };
    // The work itself takes its time.
    world.scheduler.pause(10).await;
    let effect = format!("/effect/{job}/{node}-{}", world.scheduler.random(1 << 40));
    let ops = vec![Op::delete(job_key(job)), Op::put(effect, claim.to_string().into_bytes())];
    let when = match fencing {
        Fencing::Full => {
            vec![Cond::CreateRev(shard_key(shard), claim), Cond::ModRev(job_key(job), row.mod_rev)]
        }
        Fencing::None => Vec::new(),
    };
    match world.txn(when, ops).await {
        Ok(rev) => {
            commits.borrow_mut().push(Commit { job, claim, rev });
            false
        }
        Err(TxnError::Conflict(_)) => true,
        Err(TxnError::Store(_)) => false,
    }
}

async fn judge(world: World, commits: Commits, broken: Rc<RefCell<Vec<String>>>) {
    let say = |what: String| broken.borrow_mut().push(what);
    for job in 0..JOBS {
        let effects = world.range(Range::prefix(format!("/effect/{job}/"))).await.unwrap();
        if effects.len() != 1 {
            say(format!("job {job} was done {} times", effects.len()));
        }
    }
    for Commit { job, claim, rev } in commits.take() {
        let shard = shard_key(job % SHARDS);
        let at = Rev(rev.0 - 1);
        let (rows, _) = world.store.get(&[shard], Some(at)).await.unwrap();
        if rows[0].as_ref().is_none_or(|row| row.create_rev != claim) {
            say(format!("job {job} was committed at {rev} under claim {claim}, which had ended"));
        }
        let prefix = Range::prefix(format!("/effect/{job}/"));
        let effects = world.store.range(prefix, 0, None).await.unwrap().kvs;
        if effects.iter().all(|effect| effect.mod_rev != rev) {
            say(format!("the acknowledged commit of job {job} at {rev} is lost"));
        }
    }
}
