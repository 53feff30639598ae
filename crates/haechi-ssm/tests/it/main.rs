//! Parameter Store through its handlers, on a real KMS, with a clock that the tests move.

mod access;
mod events;
mod history;
mod limits;
mod lists;
mod parameters;
mod policies;
mod public;
mod secure;
mod settings;
mod sharing;
mod tags;
mod world;
