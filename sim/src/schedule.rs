//! One schedule: nodes, their jobs, what is written and read meanwhile, what befalls them; then the
//! judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use haechi_core::{Batch, Clock, Job, Path};
use haechi_store::{Range, Store};
use haechi_wire::Fault;
use tokio::time::{Instant, sleep};

use crate::node::{KIND, Node, Note, Run, Runs, open};
use crate::random::Draws;
use crate::world::{Control, Machine, World};

const IDS: [&str; 3] = ["a", "b", "c"];
const JOBS: u64 = 24;
const EVENTS: u64 = 10;
/// How far the clocks of nodes are apart at the most.
const CLOCK_MS: u64 = 600_000;
/// How old what a node decides by may be.
const BOUND: Duration = Duration::from_secs(1);
/// How long after a lease was last kept its node may act.
const LEASE: Duration = Duration::from_secs(5);
/// By when nodes that nothing befalls have done everything.
const PATIENCE: Duration = Duration::from_secs(120);

/// What nodes are alive; a place is empty while its node is down.
type Nodes = Arc<Mutex<Vec<Option<Arc<Node>>>>>;

/// What clients were told.
#[derive(Default)]
struct Told {
    /// Jobs by number; whether their writing was acknowledged.
    jobs: BTreeMap<u64, bool>,
    /// Versions of the note, and when they were acknowledged.
    notes: Vec<(Instant, u64)>,
}

struct Schedule {
    world: Arc<World>,
    nodes: Nodes,
    runs: Runs,
    told: Arc<Mutex<Told>>,
}

/// What one schedule showed.
pub struct Outcome {
    pub broken: Vec<String>,
    pub trace: Vec<String>,
    pub virtual_time: Duration,
}

/// Runs the schedule of a seed.
pub fn run(seed: u64, control: Control) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = World::new(seed, control);
        let run = Schedule {
            world: Arc::clone(&world),
            nodes: Arc::default(),
            runs: Arc::default(),
            told: Arc::default(),
        };
        run.go().await;
        Outcome {
            broken: std::mem::take(&mut world.broken.lock().unwrap()),
            trace: std::mem::take(&mut world.trace.lock().unwrap()),
            virtual_time: world.begun.elapsed(),
        }
    })
}

fn note() -> Path {
    Path::new("note").part("1").part("x")
}

impl Schedule {
    async fn go(&self) {
        let world = Arc::clone(&self.world);
        tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(50)).await;
                let _ = world.store.expire().await;
            }
        });
        for id in IDS {
            let node = Node::start(&self.world, id, 0, &self.runs).await;
            self.nodes.lock().unwrap().push(Some(Arc::new(node)));
        }
        let clients = [tokio::spawn(due(self.shared())), tokio::spawn(write(self.shared()))];
        for place in 0..IDS.len() {
            tokio::spawn(read(self.shared(), place));
        }
        self.befall().await;
        self.world.calm_down();
        for client in clients {
            client.await.unwrap();
        }
        // Those that are about to start do.
        while self.alive().len() < IDS.len() {
            sleep(Duration::from_millis(500)).await;
        }
        for node in self.alive() {
            node.machine.mend();
            // Whatever was put off by whichever clock is due now.
            node.machine.set_clock(i64::try_from(2 * CLOCK_MS).unwrap());
            node.jobs.wake();
        }
        self.judge().await;
    }

    fn shared(&self) -> Schedule {
        Schedule {
            world: Arc::clone(&self.world),
            nodes: Arc::clone(&self.nodes),
            runs: Arc::clone(&self.runs),
            told: Arc::clone(&self.told),
        }
    }

    fn alive(&self) -> Vec<Arc<Node>> {
        self.nodes.lock().unwrap().iter().flatten().map(Arc::clone).collect()
    }

    /// A node that is alive.
    async fn some(&self, draws: &mut Draws) -> Arc<Node> {
        loop {
            let alive = self.alive();
            if !alive.is_empty() {
                let index = draws.below(u64::try_from(alive.len()).unwrap());
                return Arc::clone(&alive[usize::try_from(index).unwrap()]);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Faults, one after the other; they overlap.
    async fn befall(&self) {
        let mut draws = self.world.draws(b"faults".to_vec());
        let mut lives = [0_u64; IDS.len()];
        for _ in 0..EVENTS {
            sleep(Duration::from_millis(200 + draws.below(3000))).await;
            let place = usize::try_from(draws.below(3)).unwrap();
            let Some(node) = self.nodes.lock().unwrap()[place].clone() else { continue };
            let time = Duration::from_millis(draws.below(12_000));
            match draws.below(7) {
                0 => node.machine.sleep_for(time),
                1 => node.machine.cut_for(time),
                2 => {
                    let off = i64::try_from(draws.below(2 * CLOCK_MS)).unwrap();
                    node.machine.set_clock(off - i64::try_from(CLOCK_MS).unwrap());
                }
                3 => {
                    let later = node.machine.now().plus_seconds(2 * 86_400);
                    tokio::spawn(async move { node.database.rotate_if_due(later).await });
                }
                kind => {
                    self.nodes.lock().unwrap()[place] = None;
                    if kind == 4 {
                        node.leave().await;
                    } else {
                        node.kill();
                    }
                    lives[place] += 1;
                    let (run, life) = (self.shared(), lives[place]);
                    let rest = Duration::from_millis(draws.below(8000));
                    tokio::spawn(async move {
                        sleep(rest).await;
                        let node = Node::start(&run.world, IDS[place], life, &run.runs).await;
                        run.nodes.lock().unwrap()[place] = Some(Arc::new(node));
                    });
                }
            }
        }
        sleep(Duration::from_secs(5)).await;
    }

    async fn judge(&self) {
        let begun = Instant::now();
        loop {
            let left = self.world.store.range(Range::prefix("/jobs/"), 1, None).await.unwrap();
            let alive = self.alive();
            let owned: Vec<usize> =
                alive.iter().map(|node| node.cluster.standing().shards.len()).collect();
            let shared = alive.len() == 3
                && owned.iter().sum::<usize>() == 16
                && owned.iter().all(|count| *count <= 6);
            if left.kvs.is_empty() && shared {
                break;
            }
            if begun.elapsed() > PATIENCE {
                let left = left.kvs.len();
                self.world.break_promise(format!("no end: {left} jobs, shards {owned:?}"));
                return;
            }
            sleep(Duration::from_millis(500)).await;
            if begun.elapsed() > Duration::from_secs(40) {
                alive.iter().for_each(|node| node.jobs.wake());
            }
        }
        // Writes that are still on their way.
        sleep(Duration::from_secs(10)).await;
        self.judge_effects().await;
        self.judge_runs();
    }

    /// Each job that was acknowledged has one effect, and no job has two; a node that knows nothing
    /// yet reads all of them.
    async fn judge_effects(&self) {
        let fresh = open(&Machine::new(&self.world, "judge", 0)).await;
        let jobs = self.told.lock().unwrap().jobs.clone();
        for (number, acknowledged) in jobs {
            let path = Path::new("effect").part(&format!("job{number}"));
            let effects = match fresh.list_all::<Note>(&path).await {
                Ok(effects) => effects.len(),
                Err(fault) => {
                    self.world.break_promise(format!("effects do not open: {fault:?}"));
                    continue;
                }
            };
            if effects > 1 || (effects == 0 && acknowledged) {
                let word = if acknowledged { "acknowledged" } else { "unanswered" };
                self.world.break_promise(format!("job {number} ({word}): {effects} effects"));
            }
        }
    }

    /// No job ran twice at once, unless a node stood still or was cut off.
    fn judge_runs(&self) {
        let runs = self.runs.lock().unwrap();
        for (index, first) in runs.iter().enumerate() {
            for second in &runs[index + 1..] {
                let overlap =
                    second.job == first.job && first.ended.is_none_or(|ended| second.begun < ended);
                if overlap && !excused(first, second) {
                    let run = |run: &Run| {
                        let (id, life) = (&run.machine.id, run.machine.life);
                        let since = |when: Instant| when - self.world.begun;
                        format!("{id}.{life} {:?} {:?}", since(run.begun), run.ended.map(since))
                    };
                    let (first, second, job) = (run(first), run(second), &first.job);
                    let what = format!("{job} ran twice at once: {first}, {second}");
                    self.world.break_promise(what);
                }
            }
        }
    }
}

/// Whether either node stood still or was cut off since its lease was last surely kept: between the
/// question whether a duty is still its own and the duty, nothing holds a node up but itself. What
/// such a run commits is refused.
fn excused(first: &Run, second: &Run) -> bool {
    [first, second].iter().any(|run| {
        let from = run.begun.checked_sub(LEASE).unwrap_or(run.begun);
        run.machine.was_disturbed(from, second.begun)
    })
}

/// Makes jobs.
async fn due(run: Schedule) {
    let mut draws = run.world.draws(b"jobs".to_vec());
    for number in 0..JOBS {
        sleep(Duration::from_millis(draws.below(900))).await;
        let node = run.some(&mut draws).await;
        let (id, now) = (format!("job{number}"), node.machine.now());
        let job = match draws.below(3) {
            0 => Job::at_once(KIND, &id, now, String::new()),
            1 => Job::new(KIND, &id, now, String::new()),
            _ => {
                let later = i64::try_from(draws.below(20)).unwrap();
                Job::new(KIND, &id, now.plus_seconds(later), String::new())
            }
        };
        let mut batch = Batch::new();
        batch.schedule(&job);
        run.told.lock().unwrap().jobs.insert(number, false);
        let told = Arc::clone(&run.told);
        // A node that dies never answers.
        let _ = tokio::time::timeout(Duration::from_secs(3), async {
            if node.database.commit(batch).await.is_ok() {
                told.lock().unwrap().jobs.insert(number, true);
            }
        })
        .await;
    }
}

/// Writes the note, each time with a higher number.
async fn write(run: Schedule) {
    let mut draws = run.world.draws(b"writer".to_vec());
    let mut number = 0;
    while !run.world.is_calm() {
        sleep(Duration::from_millis(draws.below(600))).await;
        number += 1;
        let node = run.some(&mut draws).await;
        let told = Arc::clone(&run.told);
        let _ = tokio::time::timeout(Duration::from_secs(3), async {
            if write_note(&node, number).await.is_err() {
                return;
            }
            told.lock().unwrap().notes.push((Instant::now(), number));
            // This node knows at once.
            check(&run, &node, number).await;
        })
        .await;
    }
}

async fn write_note(node: &Node, number: u64) -> Result<(), Fault> {
    let loaded = node.database.load::<Note>(&note()).await?;
    let mut batch = Batch::new();
    match loaded {
        Some(loaded) => batch.replace(&loaded, &Note::new(number)),
        None => batch.create(note(), &Note::new(number)),
    }
    node.database.commit(batch).await
}

/// What a node decides by must be at least `number`.
async fn check(run: &Schedule, node: &Node, number: u64) {
    let cached = node.database.cached::<Note, u64>(&note(), |note| Ok(note.number)).await;
    let Ok(cached) = cached else { return };
    let seen = cached.map_or(0, |seen| *seen);
    if seen < number {
        let (id, life) = (&node.machine.id, node.machine.life);
        run.world.break_promise(format!("node {id}.{life} decides by {seen}, not {number}"));
    }
}

/// Reads the note on one node: nothing that it decides by is older than the bound.
async fn read(run: Schedule, place: usize) {
    let mut draws = run.world.draws(format!("reader {place}").into_bytes());
    loop {
        sleep(Duration::from_millis(20 + draws.below(150))).await;
        let Some(node) = run.nodes.lock().unwrap()[place].clone() else { continue };
        let _ = tokio::time::timeout(Duration::from_secs(8), async {
            node.machine.awake().await;
            let now = Instant::now();
            let least = {
                let told = run.told.lock().unwrap();
                let old = told.notes.iter().rev().find(|(when, _)| *when + BOUND < now);
                old.map_or(0, |(_, number)| *number)
            };
            check(&run, &node, least).await;
        })
        .await;
    }
}

/// Schedules whose commits are the same, twice each.
pub fn repeats(seeds: impl Iterator<Item = u64>) -> bool {
    let mut traces = BTreeSet::new();
    for seed in seeds {
        let (one, two) = (run(seed, Control::None).trace, run(seed, Control::None).trace);
        if one != two {
            return false;
        }
        traces.insert(one);
    }
    traces.len() > 1
}
