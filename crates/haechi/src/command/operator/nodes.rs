//! `haechi operator nodes`: who serves over the store.

use std::process::ExitCode;
use std::sync::Arc;

use haechi_core::cluster::nodes;
use haechi_core::{Clock, NodeState, SystemClock};

use crate::Failure;
use crate::data::DataDirectory;
use crate::storage::Storage;

/// Lists the nodes, also when this one is sealed or stopped.
///
/// # Errors
/// If the records lie in the data directory, or the store cannot be read.
pub async fn run(data: &DataDirectory, json: bool) -> Result<ExitCode, Failure> {
    let storage = Storage::of(data)?;
    if !storage.is_shared() {
        return Err("the records lie in the data directory: there is one server, and haechi operator status tells how it stands".into());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = storage.open(data, &clock).await?;
    let found = nodes(&*store).await;
    store.close().await?;
    let found = found?;
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{:<14} {:<8} {:<10} {:>8} {:>8} {:>7}  {:<16}  address",
        "node", "state", "version", "seen", "lag", "shards", "root key"
    );
    for node in found {
        let state = match node.state {
            NodeState::Sealed => "sealed",
            NodeState::Serving => "serving",
        };
        let seen = clock.now().millis().saturating_sub(node.seen_ms) / 1000;
        let seen = if node.seen_ms == 0 { "-".to_owned() } else { format!("{seen} s") };
        let lag = node.lag_ms.map_or("-".to_owned(), |lag| format!("{lag} ms"));
        let (version, shards) = (node.version, node.shards.len());
        let root = node.root.as_deref().unwrap_or("-");
        println!(
            "{:<14} {state:<8} {version:<10} {seen:>8} {lag:>8} {shards:>7}  {root:<16}  {}",
            node.id, node.address
        );
    }
    Ok(ExitCode::SUCCESS)
}
