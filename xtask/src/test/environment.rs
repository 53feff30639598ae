//! What the tests need beside Rust, installed once: Debian packages, Python environments and Node.js
//! packages with the real clients, `cargo-deny`.
//!
//! Everything that is not a Debian package goes to `.test-env/` in the repository and nowhere else.
//! A second run only looks whether it is all there.

use std::path::{Path, PathBuf};

use crate::process;

/// A Debian package and how to see that its content is there.
struct Package {
    name: &'static str,
    present: fn() -> bool,
}

const PACKAGES: &[Package] = &[
    Package { name: "build-essential", present: || process::exists("c++") },
    Package { name: "cmake", present: || process::exists("cmake") },
    Package { name: "curl", present: || process::exists("curl") },
    // The distributed store's servers, and the networks in which they lose each other.
    Package { name: "etcd-client", present: || process::exists("etcdctl") },
    Package { name: "etcd-server", present: || process::exists("etcd") },
    Package { name: "faketime", present: || process::exists("faketime") },
    Package { name: "iproute2", present: || process::exists("ip") },
    Package { name: "nftables", present: || process::exists("nft") },
    Package { name: "nodejs", present: || process::exists("node") },
    Package { name: "npm", present: || process::exists("npm") },
    // The runtime interface client for Node.js, and PostgreSQL's for Python, are built from source.
    Package { name: "autoconf", present: || process::exists("autoconf") },
    Package { name: "automake", present: || process::exists("automake") },
    Package { name: "g++", present: || process::exists("g++") },
    Package { name: "libnode-dev", present: || Path::new("/usr/include/node/node_api.h").exists() },
    Package { name: "libpq-dev", present: || process::exists("pg_config") },
    Package { name: "libtool", present: || process::exists("libtoolize") },
    Package { name: "make", present: || process::exists("make") },
    // Servers whose passwords are rotated; no service of theirs is used.
    Package { name: "mariadb-client-core", present: || process::exists("mariadb") },
    Package { name: "mariadb-server-core", present: || process::exists("mariadbd") },
    Package { name: "openssl", present: || process::exists("openssl") },
    Package { name: "postgresql", present: || Path::new("/usr/lib/postgresql").exists() },
    Package { name: "python3", present: || process::exists("python3") },
    Package { name: "python3-venv", present: python_makes_environments },
    Package { name: "redis-server", present: || process::exists("redis-server") },
    Package { name: "softhsm2", present: || process::exists("softhsm2-util") },
];

const CARGO_DENY: &str = "0.20.2";

/// Python environments with their exact clients, so that a test means the same today and in a year.
/// Three, because some clients hold each other's packages at different versions.
const PYTHON: &[(&str, &str)] = &[
    ("python", "crates/haechi-conformance/requirements.txt"),
    ("python-encryption", "crates/haechi-conformance/requirements-encryption.txt"),
    ("python-command-line", "crates/haechi-conformance/requirements-command-line.txt"),
];

/// Where the Node.js clients are named.
const NODE: &str = "crates/haechi-conformance/node";

/// The one package that is built here: the runtime interface client of functions.
const BUILT: &str = "aws-lambda-ric";

/// Installs the clients that are missing, for whose building Debian's packages must be there.
pub fn clients() -> Result<(), String> {
    for (name, requirements) in PYTHON {
        python_environment(name, requirements)?;
    }
    node_packages()
}

/// Installs `cargo-deny` if need be and answers where it is.
pub fn cargo_deny() -> Result<PathBuf, String> {
    let root = folder().join("cargo");
    let installed = root.join("bin/cargo-deny");
    let version = process::output(&mut process::program(&installed, &["--version"]));
    if !version.is_ok_and(|version| version.trim().ends_with(CARGO_DENY)) {
        // Unoptimised, and nobody debugs it: a third of the time to build, and it runs for a second.
        let mut command = process::cargo(&["install", "cargo-deny", "--locked", "--debug"]);
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        command.args(["--version", CARGO_DENY, "--force", "--root"]).arg(&root);
        process::run(&mut command)?;
    }
    Ok(installed)
}

fn folder() -> PathBuf {
    process::root().join(".test-env")
}

fn python_makes_environments() -> bool {
    process::output(&mut process::program("python3", &["-c", "import venv, ensurepip"])).is_ok()
}

/// Installs Debian's packages that are missing.
pub fn debian_packages() -> Result<(), String> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|package| !(package.present)())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        println!("Debian packages: all there");
        return Ok(());
    }
    let wanted = missing.join(" ");
    let by_hand = format!(
        "the tests need these Debian packages (or what your system calls them): {wanted}; install \
         them, for example with `apt-get install {wanted}`, and run this again"
    );
    if !process::exists("apt-get") {
        return Err(by_hand);
    }
    let is_root = process::output(&mut process::program("id", &["-u"]))?.trim() == "0";
    let prefix = match (is_root, process::exists("sudo")) {
        (true, _) => "env",
        (false, true) => "sudo",
        (false, false) => return Err(by_hand),
    };
    println!("Debian packages: installing {wanted}");
    let apt_get = |arguments: &[&str]| {
        let mut command = process::program(prefix, &["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command.args(arguments);
        process::run(&mut command).map_err(|error| format!("{error}; {by_hand}"))
    };
    apt_get(&["update", "--quiet"])?;
    let mut install = vec!["install", "--quiet", "--yes", "--no-install-recommends"];
    install.extend(missing);
    apt_get(&install)
}

fn python_environment(name: &str, requirements: &str) -> Result<(), String> {
    let environment = folder().join(name);
    let stamp = environment.join("requirements.txt");
    let wanted = read(&process::root().join(requirements))?;
    if read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("Python environment `{name}`: all there");
        return Ok(());
    }
    println!("Python environment `{name}`: making {}", environment.display());
    let mut make = process::program("python3", &["-m", "venv", "--clear"]);
    process::run(make.arg(&environment))?;
    let pip = environment.join("bin/pip");
    let mut install = process::program(&pip, &["install", "--quiet", "--no-deps"]);
    process::run(install.args(["--disable-pip-version-check", "--requirement", requirements]))
        .map_err(|error| format!("{error}; the AWS clients come from PyPI: is it reachable?"))?;
    // Last, so that an interrupted installation starts again.
    write(&stamp, &wanted)
}

fn node_packages() -> Result<(), String> {
    let environment = folder().join("node");
    let stamp = environment.join("installed.json");
    let wanted = read(&process::root().join(NODE).join("package-lock.json"))?;
    if read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("Node.js packages: all there");
        return Ok(());
    }
    println!("Node.js packages: installing to {}", environment.display());
    std::fs::create_dir_all(&environment)
        .map_err(|error| format!("cannot make {}: {error}", environment.display()))?;
    for file in ["package.json", "package-lock.json"] {
        write(&environment.join(file), &read(&process::root().join(NODE).join(file))?)?;
    }
    let mut install = process::program("npm", &["ci", "--ignore-scripts", "--no-audit"]);
    install.args(["--no-fund", "--loglevel", "error", "--prefix"]).arg(&environment);
    process::run(&mut install).map_err(|error| {
        format!("{error}; the clients come from npm's registry: is it reachable?")
    })?;
    // Of all scripts of packages only this one runs: it builds a part of the client in C++, with the
    // headers that Node.js was installed with.
    let mut build = process::program("npm", &["rebuild", BUILT, "--loglevel", "error"]);
    // Of its parts that `make` builds, two at a time.
    build.env("MAKEFLAGS", "-j2");
    build.arg("--nodedir=/usr").arg("--prefix").arg(&environment);
    process::run(&mut build)?;
    // Last, so that an interrupted installation starts again.
    write(&stamp, &wanted)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))
}
