//! `haechi account`: accounts for the operator, while haechi is not serving.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use haechi_core::{AccountId, Clock, Env, SystemClock};
use haechi_store::Store;
use haechi_store_sqlite::SqliteStore;

use crate::Failure;
use crate::cli::{AccountCommand, AccountOptions};
use crate::data::DataDirectory;
use crate::stack::{Stack, environment, store_clock};
use crate::unseal::unseal;

/// Creates an account, lists accounts, or gives one a root access key.
///
/// # Errors
/// If haechi serves from the data directory meanwhile, or the store fails.
pub fn run(command: AccountCommand) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        match command {
            AccountCommand::Create { options, name, email, credentials } => {
                create(&options, &name, &email, credentials.as_deref()).await
            }
            AccountCommand::Key { options, account, credentials } => {
                let account = AccountId::parse(&account)
                    .ok_or_else(|| format!("{account} is no account: an account has 12 digits"))?;
                let opened = Opened::new(&options).await?;
                opened.key(&account, credentials.as_deref()).await?;
                opened.close().await
            }
            AccountCommand::List { options } => list(&options).await,
        }
    })
}

/// The records of a data directory, with nobody serving them.
pub(super) struct Opened {
    pub(super) stack: Stack,
    store: Arc<dyn Store>,
    env: Env,
    data: DataDirectory,
}

impl Opened {
    pub(super) async fn new(options: &AccountOptions) -> Result<Opened, Failure> {
        let data = DataDirectory::existing(options.data.data.clone())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let env = environment(Arc::clone(&clock));
        let (seal, root) = unseal(&data, &options.secrets, false, &*env.random)?;
        let store = SqliteStore::open(data.store(), store_clock(&clock)).map_err(|error| {
            format!("{error}. Stop `haechi serve` meanwhile, then start it again")
        })?;
        let store: Arc<dyn Store> = Arc::new(store);
        let stack = Stack::new(Arc::clone(&store), root, &env, seal.epoch(), Some(&data)).await?;
        Ok(Opened { stack, store, env, data })
    }

    /// Writes a new root access key to a file, its own if none is named.
    async fn key(&self, account: &AccountId, file: Option<&Path>) -> Result<(), Failure> {
        let own = self.data.path().join(format!("credentials-{account}"));
        let file = file.unwrap_or(&own);
        if file.exists() {
            return Err(format!("{} exists: name a new file", file.display()).into());
        }
        let key = self.stack.root_access_key(account).await?;
        crate::data::write_credentials(file, &key)?;
        println!("  credentials  {} (root access key: keep it safe)", file.display());
        Ok(())
    }

    pub(super) async fn close(self) -> Result<ExitCode, Failure> {
        self.store.close().await?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn create(
    options: &AccountOptions,
    name: &str,
    email: &str,
    credentials: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let opened = Opened::new(options).await?;
    let account = crate::stack::random_account(&opened.env)?;
    // First, since it refuses an address that is taken; without the account itself it means little.
    opened.stack.organizations.name_account(&account, name, email).await?;
    opened.stack.iam.create_account(&account).await?;
    println!("  account      {account}");
    opened.key(&account, credentials).await?;
    opened.close().await
}

async fn list(options: &AccountOptions) -> Result<ExitCode, Failure> {
    let opened = Opened::new(options).await?;
    let known = opened.stack.organizations.summaries().await?;
    for account in opened.stack.iam.accounts().await? {
        let summary = known.iter().find(|summary| summary.account == account.as_str());
        let (name, email, place) = match summary {
            None => ("-", "-", "-".to_owned()),
            Some(summary) => {
                let management = summary.organization.as_deref();
                let place = management.map(|management| format!("managed by {management}"));
                (&*summary.name, &*summary.email, place.unwrap_or_else(|| "-".to_owned()))
            }
        };
        println!("{account}  {name}  {email}  {place}");
    }
    opened.close().await
}
