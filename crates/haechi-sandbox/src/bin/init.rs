//! The two steps into the sandbox as a program of their own: for the tests of this crate. `haechi`
//! has them as a hidden command.

use std::process::ExitCode;

fn main() -> ExitCode {
    haechi_sandbox::run_step(std::env::args_os().skip(1))
        .unwrap_or_else(|| ExitCode::from(haechi_sandbox::SETUP_FAILED))
}
