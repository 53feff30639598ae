//! IAM through the test kit.

mod access_keys;
mod accounts;
mod cast;
mod identities;
mod last_used;
mod listing;
mod policies;
mod tags;
mod users;
