//! `haechi migrate`: records move between the data directory and etcd.
//!
//! haechi is stopped meanwhile. Cut off, it is done again and goes on; the old records stay until
//! all is verified, and as a copy afterwards.

use std::process::ExitCode;
use std::sync::Arc;

use haechi_core::{Clock, SystemClock, cluster};
use haechi_store::transfer::{Transferred, transfer};

use crate::Failure;
use crate::cli::{MigrateOptions, StoreKind};
use crate::config;
use crate::data::DataDirectory;
use crate::storage::Storage;

/// Rows about nodes, which are of the one store only.
const STAYS: &[&str] = &["/cluster/"];

/// Moves the records.
///
/// # Errors
/// If haechi runs, the target holds anything else, or a store fails.
pub fn run(options: MigrateOptions) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(migrate(options))
}

async fn migrate(options: MigrateOptions) -> Result<ExitCode, Failure> {
    let data = DataDirectory::existing(options.data.data)?;
    let _lock = data.lock()?;
    let noted = Storage::of(&data)?;
    let mut wished = options.store;
    wished.store = Some(options.to);
    let (from, to) = match (options.from, options.to) {
        (StoreKind::Embedded, StoreKind::Etcd) => {
            let to = config::storage(wished)?.ok_or("name etcd with --etcd-endpoint")?;
            (Storage::Embedded, to)
        }
        (StoreKind::Etcd, StoreKind::Embedded) => (noted.clone(), Storage::Embedded),
        _ => return Err("from one store to the other: --from embedded --to etcd, or back".into()),
    };
    if from != noted || (from.is_shared() == to.is_shared()) {
        let path = data.path().display();
        return Err(format!("the records of {path} do not lie where --from says").into());
    }
    if !from.is_shared() && !data.store().exists() {
        return Err(format!("{} has no records", data.path().display()).into());
    }
    let Transferred { content, written } = copy(&data, &from, &to).await?;
    to.note(&data)?;
    if !from.is_shared() {
        std::fs::rename(data.store(), data.store_before())?;
    }
    let digest: String = content.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{} rows, {written} of them written now.", content.count);
    println!("Both stores hold the same: SHA-256 {digest}.");
    if !from.is_shared() {
        let before = data.store_before();
        println!("The old records are kept as {}; delete what is in it when all", before.display());
        println!("is well, and leave the folder: it tells that this node served alone before.");
    }
    println!("Next: haechi serve --data {}", data.path().display());
    Ok(ExitCode::SUCCESS)
}

async fn copy(data: &DataDirectory, from: &Storage, to: &Storage) -> Result<Transferred, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let source = from.open(data, &clock).await?;
    let target = to.open(data, &clock).await?;
    for store in [&source, &target] {
        let nodes = cluster::nodes(&**store).await?;
        if let Some(node) = nodes.first() {
            return Err(format!(
                "{} nodes run over this etcd, among them {} at {}: stop them",
                nodes.len(),
                node.id,
                node.address
            )
            .into());
        }
    }
    let done = transfer(&*source, &*target, STAYS).await;
    target.close().await?;
    source.close().await?;
    Ok(done?)
}
