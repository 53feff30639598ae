//! What can be typed after `haechi peer`.

use std::path::PathBuf;

use clap::Subcommand;

use super::AccountOptions;

const ADD_EXAMPLE: &str = "\
Example, on both sides:
  haechi peer card > frankfurt.card      # give the file to the other operator
  haechi peer add virginia.card          # the one that he gave you

Nothing on a card is secret. That it is genuine you make sure of by comparing the fingerprint that
both commands print, over the telephone for instance.";

/// Deployments that serve other Regions.
#[derive(Debug, Subcommand)]
pub enum PeerCommand {
    /// Print the card of this deployment, for the operators of others.
    Card {
        #[command(flatten)]
        options: AccountOptions,
    },
    /// Trust another deployment with what is replicated to its Regions.
    #[command(after_help = ADD_EXAMPLE)]
    Add {
        #[command(flatten)]
        options: AccountOptions,
        /// The file with its card.
        #[arg(value_name = "FILE")]
        card: PathBuf,
        /// Share this account with it [default: all].
        #[arg(long = "account", value_name = "12 DIGITS")]
        accounts: Vec<String>,
    },
    /// List them: name, Regions, endpoint, fingerprint, accounts, whether it answers.
    List {
        #[command(flatten)]
        options: AccountOptions,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Trust one no more. What it has stays with it.
    Remove {
        #[command(flatten)]
        options: AccountOptions,
        /// Its name.
        name: String,
    },
}
