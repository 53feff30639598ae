//! `cargo xtask sim cells`: how accounts spread over cells (docs/scale.md).
//!
//! A cell is an etcd cluster and the nodes over it; an account is in one cell. Accounts come one after
//! the other and grow to their size over time, in a random order. Two ways to place them are compared:
//!
//! * *hash*: rendezvous hashing of the account id. No directory, but every account may move when a cell
//!   is added.
//! * *directory*: a new account goes to the emptier of two cells drawn at random; a cell that is filled
//!   beyond the high mark gives accounts to the emptiest one until it is below the low mark. A row per
//!   account says where it is.
//!
//! Both open a cell when all together are fuller than the open mark.

use super::random::{Random, mixed};

/// Bytes of a resource's rows in etcd, keys and values and what etcd adds to each row: measured by
/// filling the store with a thousand of each, one version each (docs/scale.md).
const KEY_BYTES: f64 = 1_306.0 + 2.0 * ROW_OVERHEAD;
const SECRET_BYTES: f64 = 1_518.0 + 4.0 * ROW_OVERHEAD;
const PARAMETER_BYTES: f64 = 513.0 + ROW_OVERHEAD;

/// What etcd keeps for a row beside its key and value: revisions, version, lease, page headers.
const ROW_OVERHEAD: f64 = 64.0;

/// Steps in which accounts grow from nothing to their size.
const STEPS: usize = 50;

/// Filled beyond this part of its limit, a cell gives accounts away.
const HIGH: f64 = 0.80;

/// And down to this.
const LOW: f64 = 0.70;

/// All cells together beyond this, another is opened.
const OPEN: f64 = 0.55;

/// AWS's quotas of an account in a Region: no account grows beyond them.
const KEYS_MAX: f64 = 100_000.0;
const SECRETS_MAX: f64 = 500_000.0;
const PARAMETERS_MAX: f64 = 100_000.0;

struct Options {
    accounts: usize,
    /// KMS keys, secrets and parameters that an account has of each, in the mean.
    resources: f64,
    sigma: f64,
    /// Bytes that a cell may hold.
    limit: f64,
    /// Requests a second of an account, in the mean.
    rate: f64,
    /// Cells that there are from the start.
    cells: usize,
    seed: u64,
}

struct Account {
    id: u64,
    bytes: f64,
    rate: f64,
    /// The step at which it comes.
    comes: usize,
}

impl Account {
    /// How large it is at a step.
    fn size(&self, step: usize) -> f64 {
        let age = (step + 1).saturating_sub(self.comes) as f64;
        let whole = (STEPS + 1 - self.comes).max(1) as f64;
        self.bytes * (age / whole).min(1.0)
    }
}

/// How accounts are placed.
#[derive(Clone, Copy, PartialEq)]
enum Placement {
    Hash,
    Directory,
}

/// Where accounts are, and what it took.
struct Cells {
    placement: Placement,
    limit: f64,
    /// Of each account, its cell; none before it comes.
    homes: Vec<Option<usize>>,
    filled: Vec<f64>,
    moves: usize,
    moved_bytes: f64,
    /// The fullest that any cell was, as a part of its limit.
    fullest: f64,
}

/// Simulates, prints.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = options(arguments)?;
    println!(
        "{} accounts, {} KMS keys, secrets and parameters each in the mean (sigma {}), {:.1} GiB a cell\n",
        options.accounts,
        options.resources,
        options.sigma,
        options.limit / gib(1.0)
    );
    let accounts = draw(&options);
    let total: f64 = accounts.iter().map(|account| account.bytes).sum();
    let largest = accounts.iter().map(|account| account.bytes).fold(0.0, f64::max);
    println!(
        "{:.1} GiB in all; the largest account has {:.2} GiB, the mean one {:.3}\n",
        total / gib(1.0),
        largest / gib(1.0),
        total / gib(1.0) / accounts.len().max(1) as f64
    );
    if largest > options.limit * LOW {
        println!("An account is too large for a cell: nothing places it.\n");
    }
    println!(
        "| placed by | cells | accounts a cell p50 | max | filled p50 | p99 | fullest ever | req/s a cell p50 | max | moves an account | moved, of all bytes | lost with one cell |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for placement in [Placement::Hash, Placement::Directory] {
        let cells = grow(&options, &accounts, placement);
        row(&cells, &accounts, total);
    }
    Ok(())
}

fn options(arguments: &[String]) -> Result<Options, String> {
    const USAGE: &str = "usage: cargo xtask sim cells [--accounts 10000] [--resources 1000] \
        [--sigma 1.5] [--cell-gib 4] [--rate 5] [--cells 4] [--seed 1]";
    let mut options = Options {
        accounts: 10_000,
        resources: 1_000.0,
        sigma: 1.5,
        limit: gib(4.0),
        rate: 5.0,
        cells: 4,
        seed: 1,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let value: f64 = arguments.next().and_then(|text| text.parse().ok()).ok_or(USAGE)?;
        match argument.as_str() {
            "--accounts" => options.accounts = value as usize,
            "--resources" => options.resources = value,
            "--sigma" => options.sigma = value,
            "--cell-gib" => options.limit = gib(value),
            "--rate" => options.rate = value,
            "--cells" => options.cells = value as usize,
            "--seed" => options.seed = value as u64,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn gib(count: f64) -> f64 {
    count * (1_u64 << 30) as f64
}

fn draw(options: &Options) -> Vec<Account> {
    let mut random = Random::new(options.seed);
    (0..options.accounts)
        .map(|_| Account {
            id: random.bits(),
            bytes: bytes(options.resources * random.factor(options.sigma)),
            rate: options.rate * random.factor(options.sigma),
            comes: random.below(STEPS),
        })
        .collect()
}

/// Of an account with so many of each, or as many as AWS lets it have.
fn bytes(each: f64) -> f64 {
    each.min(KEYS_MAX) * KEY_BYTES
        + each.min(SECRETS_MAX) * SECRET_BYTES
        + each.min(PARAMETERS_MAX) * PARAMETER_BYTES
}

/// Lets accounts come and grow.
fn grow(options: &Options, accounts: &[Account], placement: Placement) -> Cells {
    let mut random = Random::new(options.seed ^ 1);
    let mut cells = Cells {
        placement,
        limit: options.limit,
        homes: vec![None; accounts.len()],
        filled: vec![0.0; options.cells.max(1)],
        moves: 0,
        moved_bytes: 0.0,
        fullest: 0.0,
    };
    for step in 0..STEPS {
        cells.open_until_there_is_room(accounts, step);
        for (index, account) in accounts.iter().enumerate() {
            if account.comes == step {
                let home = cells.place(account, &mut random);
                cells.put(index, home, account.size(step));
            } else if let Some(home) = cells.homes.get(index).copied().flatten() {
                cells.fill(home, account.size(step) - account.size(step.saturating_sub(1)));
            }
        }
        if placement == Placement::Directory {
            cells.relieve(accounts, step);
        }
        let fullest = cells.filled.iter().fold(0.0, |most: f64, filled| most.max(*filled));
        cells.fullest = cells.fullest.max(fullest / options.limit);
    }
    cells
}

impl Cells {
    fn fill(&mut self, cell: usize, bytes: f64) {
        if let Some(filled) = self.filled.get_mut(cell) {
            *filled += bytes;
        }
    }

    fn put(&mut self, account: usize, cell: usize, bytes: f64) {
        if let Some(home) = self.homes.get_mut(account) {
            *home = Some(cell);
        }
        self.fill(cell, bytes);
    }

    fn part(&self, cell: usize) -> f64 {
        self.filled.get(cell).copied().unwrap_or(0.0) / self.limit
    }

    /// The cell of a new account.
    fn place(&self, account: &Account, random: &mut Random) -> usize {
        match self.placement {
            Placement::Hash => rendezvous(account.id, self.filled.len()),
            Placement::Directory => {
                let (one, other) =
                    (random.below(self.filled.len()), random.below(self.filled.len()));
                if self.part(one) <= self.part(other) { one } else { other }
            }
        }
    }

    /// Opens cells while all together are too full for the step that comes.
    fn open_until_there_is_room(&mut self, accounts: &[Account], step: usize) {
        let come = accounts.iter().filter(|account| account.comes <= step);
        let needed: f64 = come.map(|account| account.size(step)).sum();
        while needed > OPEN * self.limit * self.filled.len() as f64 {
            self.filled.push(0.0);
            if self.placement == Placement::Hash {
                self.rehash(accounts, step.saturating_sub(1));
            }
        }
    }

    /// Moves the accounts that the new cell now ranks first for.
    fn rehash(&mut self, accounts: &[Account], step: usize) {
        for (index, account) in accounts.iter().enumerate() {
            let Some(home) = self.homes.get(index).copied().flatten() else { continue };
            let wanted = rendezvous(account.id, self.filled.len());
            if wanted != home {
                self.relocate(index, home, wanted, account.size(step));
            }
        }
    }

    /// Cells that are too full give accounts to the emptiest.
    fn relieve(&mut self, accounts: &[Account], step: usize) {
        for cell in 0..self.filled.len() {
            if self.part(cell) <= HIGH {
                continue;
            }
            let mut here: Vec<usize> = (0..accounts.len())
                .filter(|index| self.homes.get(*index).copied().flatten() == Some(cell))
                .collect();
            // Large ones first: the fewest moves.
            let size = |index: &usize| accounts.get(*index).map_or(0.0, |found| found.size(step));
            here.sort_by(|one, other| size(other).total_cmp(&size(one)));
            for index in here {
                if self.part(cell) <= LOW {
                    break;
                }
                let bytes = size(&index);
                let cells = 0..self.filled.len();
                let emptiest =
                    cells.min_by(|one, other| self.part(*one).total_cmp(&self.part(*other)));
                let Some(emptiest) = emptiest else { break };
                if self.part(emptiest) + bytes / self.limit <= LOW {
                    self.relocate(index, cell, emptiest, bytes);
                }
            }
        }
    }

    fn relocate(&mut self, account: usize, from: usize, to: usize, bytes: f64) {
        self.fill(from, -bytes);
        self.put(account, to, bytes);
        self.moves += 1;
        self.moved_bytes += bytes;
    }
}

/// The cell that ranks first for an account (Thaler and Ravishankar: highest random weight).
fn rendezvous(account: u64, cells: usize) -> usize {
    (0..cells).max_by_key(|cell| mixed(account ^ mixed(*cell as u64))).unwrap_or(0)
}

fn row(cells: &Cells, accounts: &[Account], total: f64) {
    let count = cells.filled.len();
    let (mut held, mut rates) = (vec![0.0; count], vec![0.0; count]);
    for (account, home) in accounts.iter().zip(&cells.homes) {
        let Some(home) = home else { continue };
        if let (Some(held), Some(rate)) = (held.get_mut(*home), rates.get_mut(*home)) {
            *held += 1.0;
            *rate += account.rate;
        }
    }
    let filled: Vec<f64> = (0..count).map(|cell| cells.part(cell)).collect();
    println!(
        "| {} | {count} | {:.0} | {:.0} | {:.0} % | {:.0} % | {:.0} % | {:.0} | {:.0} | {:.2} | {:.0} % | {:.2} % |",
        if cells.placement == Placement::Hash { "hash" } else { "directory" },
        quantile(&held, 0.5),
        quantile(&held, 1.0),
        100.0 * quantile(&filled, 0.5),
        100.0 * quantile(&filled, 0.99),
        100.0 * cells.fullest,
        quantile(&rates, 0.5),
        quantile(&rates, 1.0),
        cells.moves as f64 / accounts.len().max(1) as f64,
        100.0 * cells.moved_bytes / total.max(1.0),
        100.0 * quantile(&held, 1.0) / accounts.len().max(1) as f64,
    );
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulated(placement: Placement, sigma: f64) -> (Options, Vec<Account>, Cells) {
        let options = Options {
            accounts: 2_000,
            resources: 1_000.0,
            sigma,
            limit: gib(0.25),
            rate: 5.0,
            cells: 1,
            seed: 7,
        };
        let accounts = draw(&options);
        let cells = grow(&options, &accounts, placement);
        (options, accounts, cells)
    }

    #[test]
    fn every_account_is_in_one_cell_and_no_byte_is_lost() {
        for placement in [Placement::Hash, Placement::Directory] {
            let (_, accounts, cells) = simulated(placement, 1.0);
            assert!(cells.homes.iter().all(Option::is_some));
            let total: f64 = accounts.iter().map(|account| account.size(STEPS - 1)).sum();
            let held: f64 = cells.filled.iter().sum();
            assert!((total - held).abs() < 1e-6 * total, "{total} {held}");
        }
    }

    #[test]
    fn a_directory_keeps_every_cell_below_its_limit() {
        let (_, _, cells) = simulated(Placement::Directory, 1.0);
        assert!(cells.fullest < 1.0, "{}", cells.fullest);
    }

    #[test]
    fn a_new_cell_takes_its_share_of_a_hash_and_no_more() {
        let moved =
            (0..100_000_u64).filter(|id| rendezvous(mixed(*id), 9) != rendezvous(mixed(*id), 10));
        let moved = moved.count();
        assert!((9_000..11_000).contains(&moved), "{moved}");
    }
}
