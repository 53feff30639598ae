//! The operator's commands on a server that runs: `DATA/operator.sock`.
//!
//! A command that works on the records is an [`Ask`]: input, answer, and what to do with an
//! [`Installation`]. [`ask`] lets the server do it when one runs; else it opens the data directory
//! and does it itself. So each command is written once.
//!
//! ```text
//! command/*.rs ── ask() ──┬─ client.rs ══ operator.sock ══ socket.rs ── table.rs ─┬─ Ask::answer
//!                         └─ no server: Installation::open ───────────────────────┘
//! ask/*.rs      one file per subject: its asks
//! table.rs      the list of all asks
//! order.rs      what is asked of a server itself: its status, shares, to seal
//! door.rs       the server's side of that: sealed, open or shut
//! told.rs       what the audit log tells of a command
//! wire.rs       what goes over the socket: two lines there, two lines back
//! ```
//!
//! To add a command: its `Ask` in `ask/<subject>.rs`, its name in `table.rs`, its options in
//! `cli.rs`, its words in `command/<subject>.rs`.
//!
//! The socket is 0600 in a directory of 0700, and the kernel says who asks: the user that the server
//! runs as, or root. Both can read all of the server's files anyway.

pub mod ask;
mod client;
mod door;
pub mod order;
mod socket;
mod table;
mod told;
mod wire;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use door::Door;
pub use socket::{bind, serve};
pub use told::Told;

use crate::Failure;
use crate::cli::AccountOptions;
use crate::data::{DataDirectory, Lock};
use crate::installation::Installation;

/// Something that the operator asks of an installation.
pub trait Ask: Serialize + DeserializeOwned + Send + 'static {
    /// Its name on the wire: `account.list`. Never reused for something else.
    const NAME: &'static str;
    /// What comes back. Secrets in it are `Zeroizing`.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// What the audit log is to tell of it; `None` for what only looks, and for what leaves records
    /// of its own.
    fn told(&self) -> Option<Told> {
        None
    }

    /// Does it.
    fn answer(
        self,
        installation: &Installation,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// Gives an order to the server of a data directory; `None` where none runs.
///
/// # Errors
/// The server's words.
pub async fn order<O: order::Order>(
    data: &DataDirectory,
    order: O,
) -> Result<Option<O::Answer>, Failure> {
    match client::Client::connect(data).await? {
        Some(mut server) => server.ask(O::NAME, &order).await.map(Some),
        None => Ok(None),
    }
}

/// The server of a data directory, for one ask; `None` where none runs.
///
/// # Errors
/// If it lets nobody in.
pub async fn server(data: &DataDirectory) -> Result<Option<client::Client>, Failure> {
    client::Client::connect(data).await
}

/// Asks the server of a data directory; where none runs, opens the directory and does it here.
///
/// # Errors
/// What the ask answers; or if the data directory cannot be opened.
pub async fn ask<A: Ask>(
    data: &DataDirectory,
    options: &AccountOptions,
    ask: A,
) -> Result<A::Answer, Failure> {
    let session = Session::begin(data, options).await?;
    let answer = session.ask(ask).await;
    session.end().await?;
    answer
}

/// Several asks, one after the other, of a server or here.
pub struct Session {
    data: DataDirectory,
    here: Option<(Installation, Lock)>,
}

impl Session {
    /// Finds the server; where none runs, opens the directory.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn begin(data: &DataDirectory, options: &AccountOptions) -> Result<Session, Failure> {
        if client::Client::connect(data).await?.is_some() {
            return Ok(Session { data: data.clone(), here: None });
        }
        let lock = data.lock()?;
        let installation = Installation::open(data, &options.secrets).await?;
        Ok(Session { data: data.clone(), here: Some((installation, lock)) })
    }

    /// Asks.
    ///
    /// # Errors
    /// What the ask answers; or if the server is gone meanwhile.
    pub async fn ask<A: Ask>(&self, ask: A) -> Result<A::Answer, Failure> {
        if let Some((installation, _)) = &self.here {
            return told::done(ask, installation).await;
        }
        let mut server = client::Client::connect(&self.data).await?.ok_or("the server is gone")?;
        server.ask(A::NAME, &ask).await
    }

    /// Closes what was opened.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn end(self) -> Result<(), Failure> {
        match self.here {
            Some((installation, _lock)) => installation.close().await,
            None => Ok(()),
        }
    }
}
