//! How the store is opened: where etcd is, as whom, how long anything may take.

use std::{fmt, time::Duration};

use haechi_store::Options;
use zeroize::Zeroizing;

/// Where etcd is and how to speak to it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The members' client URLs, `http://host:2379` or `https://…`; all of one cluster. One is
    /// enough to work, all of them to survive the loss of a member.
    pub endpoints: Vec<String>,
    /// What every key begins with, followed by `/`: several installations share an etcd under
    /// different prefixes. Default `haechi`.
    pub prefix: String,
    /// Certificates; needed for `https` URLs, refused with `http` ones.
    pub tls: Option<Tls>,
    /// Name and password, if etcd's authentication is on.
    pub user: Option<User>,
    /// How long a connection may take to stand. Default 2 s.
    pub connect_timeout: Duration,
    /// How long one member may take to answer before another one is asked. Default 2 s.
    pub attempt_timeout: Duration,
    /// How long an operation may take with all its attempts. Default 10 s: longer than etcd takes
    /// to elect a leader.
    pub request_timeout: Duration,
    /// How often old revisions are compacted, keeping [`Options::history`] of them. `None` leaves it
    /// to etcd's `--auto-compaction-*` flags: set it where others use the same etcd, whose history
    /// goes with ours. Default 5 minutes.
    pub compact_every: Option<Duration>,
    /// What every engine needs to know. Leases end by etcd's time, not by [`Options::clock`].
    pub options: Options,
}

/// Certificates and keys, PEM.
#[derive(Clone)]
pub struct Tls {
    /// The CA that signed the members' certificates.
    pub ca: Vec<u8>,
    /// Our certificate and its key, if etcd asks for one (`--client-cert-auth`).
    pub identity: Option<Identity>,
    /// The name that the members' certificates must carry, if not the URL's host.
    pub server_name: Option<String>,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, with its chain.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Zeroizing<Vec<u8>>,
}

/// A user of etcd's.
#[derive(Clone)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: Zeroizing<String>,
}

impl Settings {
    /// The defaults, for these members.
    pub fn new(endpoints: Vec<String>, options: impl Into<Options>) -> Self {
        Self {
            endpoints,
            prefix: "haechi".to_owned(),
            tls: None,
            user: None,
            connect_timeout: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(10),
            compact_every: Some(Duration::from_secs(300)),
            options: options.into(),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("identity", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}
