//! Deployments of haechi that serve different Regions, and what they tell each other.
//!
//! Each has a store of its own and serves on when the others are not to be reached. What Regions have
//! in common (multi-Region keys, replicas of secrets) one deployment is the authority for; it tells
//! the others the whole *state* of it, with a version, again and again until they confirm: so a
//! message that is lost, repeated, late or out of order does no harm.
//!
//! ```text
//! card.rs      what a deployment hands to others, so that they know it: public, compared by people
//! identity.rs  what it keeps for that: certificate, transport key
//! message.rs   what is said; read from any bytes, within limits
//! peers.rs     who serves which Region, and what a service needs to talk to them
//! tls.rs       TLS 1.3, both ends with the certificate that their card shows
//! client.rs    asking a peer
//! listener.rs  being asked
//! ```
//!
//! It knows no service: KMS and Secrets Manager use it, and the binary hands what arrives to them.

pub mod card;
pub mod client;
pub mod identity;
pub mod listener;
pub mod message;
pub mod peers;
pub mod tls;

pub use card::{Card, CardError};
pub use client::Https;
pub use identity::Identity;
pub use listener::{Inbox, Limits, Listener};
pub use message::{Answer, Refusal, Sealed, Subject};
pub use peers::{Peer, Peers, Place, SendError, Transport};
