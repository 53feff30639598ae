//! What can be typed behind `haechi iam`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AccountOptions;

/// What to do with IAM.
#[derive(Debug, Subcommand)]
pub enum IamCommand {
    /// Explain a decision: every policy, every statement, what matched, and what conditions saw.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Box<ExplainOptions>),
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  haechi iam explain --event 2cf5…                    a denial of the audit log
  haechi iam explain --principal arn:aws:iam::111122223333:user/alice \\
      --action kms:Decrypt --resource arn:aws:kms:eu-west-1:111122223333:key/1234… \\
      --context kms:EncryptionContext:project=demo
  haechi iam explain --files-only --policy alice.json --scp root.json --scp unit.json \\
      --principal arn:aws:iam::111122223333:user/alice --action s3:GetObject \\
      --resource arn:aws:s3:::bucket/object           policies in files, nothing else

Files hold a policy as it is written, or what `aws … get-…-policy` prints.";

/// Options of `iam explain`.
#[derive(Debug, Args)]
pub struct ExplainOptions {
    #[command(flatten)]
    pub options: AccountOptions,
    /// Explain the denial with this event id.
    #[arg(
        long,
        value_name = "EVENT_ID",
        conflicts_with_all = ["principal", "action", "resource", "resource_account", "files_only"]
    )]
    pub event: Option<String>,
    /// Who wants something: an ARN, or a service as kms.amazonaws.com.
    #[arg(long, value_name = "ARN", required_unless_present = "event")]
    pub principal: Option<String>,
    /// What it wants to do.
    #[arg(long, value_name = "SERVICE:ACTION", required_unless_present = "event")]
    pub action: Option<String>,
    /// On what [default: *].
    #[arg(long, value_name = "ARN")]
    pub resource: Option<String>,
    /// Whose the resource is, where its ARN does not say it.
    #[arg(long, value_name = "12 DIGITS")]
    pub resource_account: Option<String>,
    /// A condition key of the request and its value; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub context: Vec<String>,
    /// Another identity-based policy; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<PathBuf>,
    /// A permissions boundary, instead of the principal's own.
    #[arg(long, value_name = "FILE")]
    pub boundary: Option<PathBuf>,
    /// A session policy; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub session_policy: Vec<PathBuf>,
    /// Another level of service control policies; files of one level are joined by commas.
    #[arg(long, value_name = "FILE[,FILE]")]
    pub scp: Vec<String>,
    /// Another level of resource control policies, likewise.
    #[arg(long, value_name = "FILE[,FILE]")]
    pub rcp: Vec<String>,
    /// The policy of the resource (a key policy, a trust policy), instead of its own.
    #[arg(long, value_name = "FILE")]
    pub resource_policy: Option<PathBuf>,
    /// Only the files count: no server and no data directory is asked.
    #[arg(long)]
    pub files_only: bool,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}
