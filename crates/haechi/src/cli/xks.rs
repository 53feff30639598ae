//! What can be typed after `haechi xks`.

use std::path::PathBuf;

use clap::Subcommand;

use super::AccountOptions;
use crate::xks::ExposedKey;

const CREATE_EXAMPLE: &str = "\
Example:
  haechi xks create aws-prod --key 1234abcd-12ab-34cd-56ef-1234567890ab

The other KMS then makes a custom key store of https://HOST (see xks.listen in the configuration), the
path and the credential that are printed, and a KMS key with the XksKeyId 1234abcd-….";

/// Which keys another KMS may use, through the proxy.
#[derive(Debug, Subcommand)]
pub enum XksCommand {
    /// Let another KMS use keys, and make the credential that it signs with.
    #[command(after_help = CREATE_EXAMPLE)]
    Create {
        #[command(flatten)]
        options: AccountOptions,
        /// What its path begins with: `aws-prod` is /aws-prod/kms/xks/v1.
        prefix: String,
        /// Whose keys [default: the account of the first start].
        #[arg(long, value_name = "12 DIGITS")]
        account: Option<String>,
        /// In which Region.
        #[arg(long, value_name = "REGION", default_value = "us-east-1")]
        region: String,
        /// A key by its id; `ID:encrypt` or `ID:decrypt` lets it do only that.
        #[arg(long = "key", value_name = "ID", required_unless_present = "all_keys")]
        keys: Vec<ExposedKey>,
        /// Every symmetric key of the account in the Region, also of the future.
        #[arg(long, conflicts_with = "keys")]
        all_keys: bool,
        /// File for the credential [default: xks-ACCESSKEYID.json in the data directory].
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// List what other KMSs may use: path prefix, account, Region, keys, access key ids.
    List {
        #[command(flatten)]
        options: AccountOptions,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let another KMS use nothing any more. The keys stay.
    Delete {
        #[command(flatten)]
        options: AccountOptions,
        /// Its path prefix.
        prefix: String,
    },
    /// Exchange credentials without a pause: make the new one, give it to the other KMS
    /// (update-custom-key-store), delete the old one.
    #[command(subcommand)]
    Credential(XksCredentialCommand),
}

/// Credentials of another KMS.
#[derive(Debug, Subcommand)]
pub enum XksCredentialCommand {
    /// Make a further credential.
    Create {
        #[command(flatten)]
        options: AccountOptions,
        /// The path prefix.
        prefix: String,
        /// File for the credential [default: xks-ACCESSKEYID.json in the data directory].
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Delete a credential; what is signed with it is refused from then on.
    Delete {
        #[command(flatten)]
        options: AccountOptions,
        /// The path prefix.
        prefix: String,
        /// The access key id.
        access_key_id: String,
    },
}
