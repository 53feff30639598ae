//! `cargo xtask sim NAME`: simulations that back figures of the documentation. They run in seconds,
//! from a seed, and print tables; they judge nothing.

mod cells;
mod random;

/// A simulation: its name, what it tells in one line, and the function that runs it.
type Simulation = (&'static str, &'static str, fn(&[String]) -> Result<(), String>);

const SIMULATIONS: &[Simulation] =
    &[("cells", "How accounts spread over cells, and what a cell holds", cells::run)];

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
