//! Every limit of the listener, in one place.

use std::time::Duration;

/// What clients may take up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request's body, unless its service takes more (`Router::take_bodies`).
    pub body_bytes_max: usize,
    /// Bytes of all bodies of more than 8 KiB together, while they are received and answered.
    pub bodies_bytes_max: usize,
    /// Connections at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// For the TLS handshake to finish.
    pub handshake_timeout: Duration,
    /// For a request's head to arrive; also how long an idle connection is kept.
    pub head_timeout: Duration,
    /// For a request's body to arrive.
    pub body_timeout: Duration,
    /// For running requests to finish once the server stops.
    pub drain_timeout: Duration,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            // The largest input of any operation here is an SQS message of 1 MiB, escaped.
            body_bytes_max: 4 << 20,
            bodies_bytes_max: 256 << 20,
            connections_max: 20_000,
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            head_bytes_max: 64 * 1024,
        }
    }
}
