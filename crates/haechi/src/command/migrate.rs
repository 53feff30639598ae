//! `haechi migrate`: records move between the data directory and etcd.
//!
//! A server that runs does it itself, to etcd (`moving.rs`); else it is done here. Cut off, it is
//! done again and goes on; the old records stay until all is verified, and as a copy afterwards.

use std::process::ExitCode;
use std::sync::Arc;

use haechi_core::{Clock, SystemClock};
use haechi_store::transfer::{Transferred, transfer};

use crate::Failure;
use crate::cli::{MigrateOptions, StoreKind};
use crate::config;
use crate::data::DataDirectory;
use crate::moving::{STAYS, leave_word, refuse_nodes, set_aside};
use crate::operator::ask::{StoreMove, StoreMoved, hexadecimal};
use crate::operator::{self, Ask};
use crate::storage::{Etcd, Storage};

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
    let noted = Storage::of(&data)?;
    let mut wished = options.store;
    wished.store = Some(options.to);
    let (from, to) = match (options.from, options.to) {
        (StoreKind::Embedded, StoreKind::Etcd) => {
            let to = config::storage(wished)?.ok_or("name etcd with --etcd-endpoint")?;
            (Storage::Embedded, to.under(None)?)
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
    let is_served = match &to {
        Storage::Etcd(etcd) => by_the_server(&data, etcd).await?,
        Storage::Embedded => false,
    };
    if !is_served {
        here(&data, &from, &to).await?;
    }
    if !from.is_shared() {
        let before = data.store_before();
        println!("The old records are kept as {}; delete what is in it when all", before.display());
        println!("is well, and leave the folder: it tells that this node served alone before.");
    }
    if is_served {
        println!("haechi starts anew now, and serves from etcd.");
    } else {
        println!("Next: haechi serve --data {}", data.path().display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the server that runs move its records; false where none runs.
async fn by_the_server(data: &DataDirectory, etcd: &Etcd) -> Result<bool, Failure> {
    let Some(mut server) = operator::server(data).await? else { return Ok(false) };
    let ask = StoreMove { etcd: etcd.clone() };
    let StoreMoved { rows, written, sha256, refused_ms } =
        server.ask(StoreMove::NAME, &ask).await?;
    told(rows, written, &sha256);
    println!("Writes were refused for {refused_ms} ms, and are until haechi serves again.");
    Ok(true)
}

fn told(rows: u64, written: u64, sha256: &str) {
    println!("{rows} rows; {written} were written now.");
    println!("Both stores hold the same: SHA-256 {sha256}.");
}

/// Moves the records of a directory that nothing serves.
async fn here(data: &DataDirectory, from: &Storage, to: &Storage) -> Result<(), Failure> {
    let _lock = data.lock()?;
    let Transferred { content, written } = copy(data, from, to).await?;
    to.note(data)?;
    if from.is_shared() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let source = from.open(data, &clock).await?;
        leave_word(&*source, data).await?;
        source.close().await?;
    } else {
        set_aside(data)?;
    }
    told(content.count, written, &hexadecimal(&content.sha256));
    Ok(())
}

async fn copy(data: &DataDirectory, from: &Storage, to: &Storage) -> Result<Transferred, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let source = from.open(data, &clock).await?;
    let target = to.open(data, &clock).await?;
    for store in [&source, &target] {
        refuse_nodes(&**store).await?;
    }
    let done = transfer(&*source, &*target, STAYS).await;
    target.close().await?;
    source.close().await?;
    Ok(done?)
}
