//! Changes passwords of users of real servers, for rotations that need no function.
//!
//! A crate of its own, so that the clients of databases stay out of what is built every day. It
//! knows nothing of secrets: it takes logins, and makes a server take a new one.
//!
//! * One user ([`set_single`]): its password changes. Between the change and the moment at which
//!   the secret says so, a new login with the old password fails; open sessions live on.
//! * Two users in turns ([`set_alternating`]): the one that is not in use gets the new password, so
//!   that what the secret says works at every moment. It needs a superuser.
//!
//! Both can be done again after a crash: what is done already is found done.
//!
//! Passwords go to PostgreSQL as SCRAM verifiers, and to MySQL and MariaDB as hashes where the
//! server takes them: they do not stand in its logs.
//!
//! ```text
//! strategy.rs  the two ways
//! postgres.rs  PostgreSQL
//! mysql.rs     MySQL and MariaDB; mysql/*.rs their protocol
//! redis.rs     Redis and Valkey users
//! hook.rs      a hook of the user's own: what it is told, signed
//! tls.rs       TLS, where the login asks for it
//! ```

mod hook;
mod mysql;
mod postgres;
mod redis;
mod strategy;
mod tls;

use async_trait::async_trait;
use zeroize::Zeroizing;

pub use hook::{Hook, HookMessage, HookStep};
pub use mysql::MySql;
pub use postgres::Postgres;
pub use redis::Redis;
pub use strategy::{alternate, set_alternating, set_single};
pub use tls::Tls;

/// A user of a server.
#[derive(Clone)]
pub struct Login {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The user.
    pub username: String,
    /// Its password.
    pub password: Zeroizing<String>,
    /// The database to open, where there is such a thing.
    pub database: Option<String>,
    /// Whether the server is spoken to in TLS.
    pub tls: Tls,
}

/// Why a server did not do what it was asked. No password is in the text.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The user or its password is wrong.
    #[error("{username} was not let in at {host}:{port}")]
    NotLetIn {
        /// The user.
        username: String,
        /// The server.
        host: String,
        /// Its port.
        port: u16,
    },
    /// It does not answer, or not in its protocol.
    #[error("{host}:{port} cannot be reached: {reason}")]
    Unreachable {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
        /// Why.
        reason: String,
    },
    /// It refused.
    #[error("the server refused: {0}")]
    Refused(String),
    /// What is asked cannot be.
    #[error("{0}")]
    Invalid(String),
}

impl Login {
    pub(crate) fn not_let_in(&self) -> Failure {
        let (username, host) = (self.username.clone(), self.host.clone());
        Failure::NotLetIn { username, host, port: self.port }
    }

    pub(crate) fn unreachable(&self, reason: impl std::fmt::Display) -> Failure {
        let (host, reason) = (self.host.clone(), reason.to_string());
        Failure::Unreachable { host, port: self.port, reason }
    }
}

/// A kind of server.
#[async_trait]
pub trait Server: Send + Sync + 'static {
    /// The port, if the secret names none.
    fn port(&self) -> u16;

    /// Logs in and asks something harmless.
    ///
    /// # Errors
    /// [`Failure::NotLetIn`] if the password is wrong.
    async fn test(&self, login: &Login) -> Result<(), Failure>;

    /// Gives the user that logs in a new password.
    ///
    /// # Errors
    /// If it is not let in, or the server refuses.
    async fn change(&self, login: &Login, password: &str) -> Result<(), Failure>;

    /// Gives `user` a password, and makes it first, with the rights of `like`, if it is not there.
    ///
    /// # Errors
    /// If `admin` is not let in, or may not.
    async fn provide(
        &self,
        admin: &Login,
        like: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Failure>;
}
