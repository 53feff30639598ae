//! Rotations of real servers, started by the tests on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod server;

mod mariadb;
mod postgres;
mod redis;
