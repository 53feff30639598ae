//! `[regions]` and `[peering]` of the configuration file.

use std::net::SocketAddr;

use haechi_core::Region;
use serde::Deserialize;

/// The table `[regions]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegionOptions {
    /// The Regions that this deployment serves; all, if none is named.
    pub local: Vec<Region>,
}

/// The table `[peering]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeeringOptions {
    /// What the operators of other deployments call this one.
    pub name: String,
    /// Where it listens for them.
    pub listen: SocketAddr,
    /// How they reach that: host and port; the address itself, if it is not given.
    pub endpoint: Option<String>,
    /// Where it serves the APIs, as callers elsewhere are told.
    pub api: Option<String>,
}
