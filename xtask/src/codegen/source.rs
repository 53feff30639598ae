//! Where models come from, and how files are written.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Unpacks the models and endpoints of a botocore wheel; models are gzip'd JSON.
const UNPACK: &str = r"
import glob, gzip, os, sys, zipfile
wheel, out = sys.argv[1:]
with zipfile.ZipFile(glob.glob(wheel + '/botocore-*.whl')[0]) as archive:
    for name in archive.namelist():
        wanted = ('/service-2.json.gz', '/service-2.json', 'botocore/data/endpoints.json')
        if name.endswith(wanted):
            data = archive.read(name)
            target = os.path.join(out, name.removesuffix('.gz').removeprefix('botocore/data/'))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, 'wb') as file:
                file.write(gzip.decompress(data) if name.endswith('.gz') else data)
open(os.path.join(out, 'complete'), 'w').close()
";

/// The folder of the pinned release's models, fetched when it is not there yet.
pub fn models(root: &Path) -> Result<PathBuf, String> {
    let (_, folder) = package(root, "botocore", UNPACK)?;
    if folder.join("endpoints.json").exists() {
        return Ok(folder);
    }
    // It was unpacked by an older version of this program.
    let complete = folder.join("complete");
    std::fs::remove_file(&complete).map_err(|error| format!("{}: {error}", complete.display()))?;
    package(root, "botocore", UNPACK).map(|(_, folder)| folder)
}

/// The models in that folder: of each service, all versions of its API.
pub fn every(models: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for service in folders(models)? {
        let versions = folders(&service)?.into_iter().map(|version| version.join("service-2.json"));
        found.extend(versions.filter(|file| file.exists()));
    }
    Ok(found)
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, String> {
    let entries =
        std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| path.is_dir()).collect())
}

/// The pinned release of a Python package (`models/<name>.txt`) and the folder of its data, fetched
/// and unpacked by the script `unpack` when it is not there yet.
pub fn package(root: &Path, name: &str, unpack: &str) -> Result<(String, PathBuf), String> {
    let pin = std::fs::read_to_string(root.join(format!("models/{name}.txt")))
        .map_err(|error| format!("models/{name}.txt: {error}"))?;
    let version = pin.trim().to_owned();
    let folder = root.join(format!("target/{name}/{version}"));
    if folder.join("complete").exists() {
        return Ok((version, folder));
    }
    println!("fetching {name} {version}");
    let wheel = folder.join("wheel");
    std::fs::create_dir_all(&wheel).map_err(|error| format!("{}: {error}", wheel.display()))?;
    python(&["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d"])
        .arg(&wheel)
        .arg(format!("{name}=={version}"))
        .status()
        .map_err(|error| format!("pip: {error}"))
        .and_then(|status| if status.success() { Ok(()) } else { Err("pip failed".to_owned()) })?;
    let status = python(&["-c", unpack])
        .args([&wheel, &folder])
        .status()
        .map_err(|error| format!("python3: {error}"))?;
    if status.success() {
        Ok((version, folder))
    } else {
        Err(format!("{name} could not be unpacked"))
    }
}

/// The test environment's Python where there is one (a fresh Debian has no pip of its own).
fn python(arguments: &[&str]) -> Command {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.test-env/python/bin/python");
    let mut command = if own.exists() { Command::new(own) } else { Command::new("python3") };
    command.args(arguments);
    command
}

/// Rust source as rustfmt lays it out.
pub fn formatted(text: &str) -> Result<String, String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt: {error}"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt has no input")?;
    stdin.write_all(text.as_bytes()).map_err(|error| format!("rustfmt: {error}"))?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|error| format!("rustfmt: {error}"))?;
    if !output.status.success() {
        return Err("rustfmt refused what codegen wrote".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// Writes a file.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
