//! What can be typed after `haechi render`.

use std::path::PathBuf;

use clap::Args;
use haechi_core::Region;

use super::DataOptions;

/// Options of `render`.
#[derive(Debug, Args)]
pub struct RenderOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// Region to read from instead of the default.
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
    /// File to write, readable by its owner only, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The template; `-` for standard input.
    #[arg(value_name = "TEMPLATE")]
    pub template: PathBuf,
}
