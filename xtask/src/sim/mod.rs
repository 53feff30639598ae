//! `cargo xtask sim NAME`: simulations that back figures of the documentation, from a seed; and
//! schedules of what runs at once, which must keep its promises in each.

mod cells;
mod random;

/// A simulation: its name, what it tells in one line, and the function that runs it.
type Simulation = (&'static str, &'static str, fn(&[String]) -> Result<(), String>);

const SIMULATIONS: &[Simulation] = &[
    ("cells", "How accounts spread over cells, and what a cell holds", cells::run),
    (
        "jobs",
        "Schedules of jobs, leases, clients and watches over a store that loses answers",
        jobs,
    ),
];

/// Schedules of a model of nodes, which are tests of `haechi-store-mem`, and of haechi's own.
fn jobs(arguments: &[String]) -> Result<(), String> {
    crate::chaos::simulate("haechi-store-mem", arguments)?;
    crate::chaos::nodes(arguments, true)
}

/// Runs the simulation that the first argument names; without one, lists them.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let Some((name, rest)) = arguments.split_first() else {
        for (name, summary, _) in SIMULATIONS {
            println!("{name:12} {summary}");
        }
        return Ok(());
    };
    match SIMULATIONS.iter().find(|(known, ..)| known == name) {
        Some((.., simulation)) => simulation(rest),
        None => Err(format!("there is no simulation `{name}`; `cargo xtask sim` lists them")),
    }
}
