//! KMS through its operations, as the gateway calls them: one module per operation, and one for
//! decisions across accounts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

mod openssl;
mod proxy;
mod quotas;
mod world;

mod aliases;
mod create_key;
mod custom_key_stores;
mod data_key_pairs;
mod data_keys;
mod decisions;
mod decrypt;
mod deletion;
mod describe_key;
mod dry_run;
mod encrypt;
mod external_store_keys;
mod generate_random;
mod grants;
mod import;
mod list_keys;
mod macs;
mod managed;
mod multi_region;
mod peering;
mod policies;
mod re_encrypt;
mod restart;
mod rotation;
mod rsa_encryption;
mod shared_secrets;
mod signing;
mod states;
mod tags;
mod usage;
