//! What an instance sees: environment, files, what it can reach.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use haechi_sandbox::{Bind, Destination, Limits, Spec};

use crate::reference::Reference;
use crate::role::RoleCredentials;
use crate::store::Version;

/// Where an instance finds the certificate of haechi's own authority.
const AUTHORITY: &str = "/etc/haechi/ca.pem";

/// Open files of an instance (AWS).
const FILES: u64 = 1024;

/// An interpreter, as the operator names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeOptions {
    /// The program and its arguments; the handler comes after them.
    pub command: Vec<String>,
    /// Files and folders that it needs, beside the system's; shown read-only, in the same place.
    pub paths: Vec<PathBuf>,
}

/// What functions can reach, beside haechi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// These destinations: `host:port`.
    Only(Vec<String>),
    /// All that the machine reaches.
    Machine,
}

/// Where functions reach haechi.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its address.
    pub url: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificate of its authority, where it speaks TLS.
    pub authority: Option<PathBuf>,
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that takes the steps into the sandbox: this one.
    pub program: PathBuf,
    /// Interpreters by the names of runtimes.
    pub runtimes: BTreeMap<String, RuntimeOptions>,
    /// What functions can reach.
    pub network: Network,
    /// Whether functions run although a part of the isolation does not work here.
    pub allow_weak_isolation: bool,
    /// Instances, at most.
    pub concurrency: usize,
    /// Processes and threads of an instance, at most.
    pub processes: u64,
    /// How long an instance may wait for its next event.
    pub idle_seconds: i64,
    /// Where unpacked code and logs lie.
    pub folder: PathBuf,
    /// Bytes that unpacked code may take up.
    pub unpacked_max: u64,
    /// Folders that no function sees, wherever they lie: the data directory.
    pub covered: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            program: PathBuf::from("/proc/self/exe"),
            runtimes: BTreeMap::new(),
            network: Network::Only(Vec::new()),
            allow_weak_isolation: false,
            concurrency: 50,
            processes: 256,
            idle_seconds: 600,
            unpacked_max: 10 << 30,
            covered: Vec::new(),
            folder: std::env::temp_dir().join(format!("haechi-functions-{}", std::process::id())),
        }
    }
}

impl Options {
    /// What runs a runtime.
    pub(crate) fn command(&self, runtime: &str) -> Option<RuntimeOptions> {
        let named = self.runtimes.get(runtime).cloned();
        let provided = runtime.starts_with("provided.");
        named.or_else(|| {
            let command = vec!["/var/task/bootstrap".to_owned()];
            provided.then_some(RuntimeOptions { command, paths: Vec::new() })
        })
    }
}

/// What an instance is started with.
pub(crate) struct Start {
    pub(crate) spec: Spec,
    pub(crate) destinations: Vec<Destination>,
}

/// Puts together what a version is started with.
pub(crate) fn start(
    options: &Options,
    endpoint: Option<&Endpoint>,
    reference: &Reference,
    version: &Version,
    credentials: &RoleCredentials,
    stream: &str,
    runtime: &RuntimeOptions,
) -> Start {
    let mut command = runtime.command.clone();
    if let (Some(handler), false) = (&version.handler, version.runtime.starts_with("provided")) {
        command.push(handler.clone());
    }
    let same = |path: &PathBuf| Bind { source: path.clone(), target: path.clone() };
    let mut binds: Vec<Bind> = runtime.paths.iter().map(same).collect();
    let authority = endpoint.and_then(|endpoint| endpoint.authority.clone());
    if let Some(source) = &authority {
        binds.push(Bind { source: source.clone(), target: PathBuf::from(AUTHORITY) });
    }
    let (destinations, hosts) = reach(&options.network, endpoint);
    let positive = |number: i32| u64::try_from(number).unwrap_or(0);
    let spec = Spec {
        command,
        environment: environment(reference, version, credentials, endpoint, stream),
        code: PathBuf::new(),
        binds,
        covered: options.covered.clone(),
        hosts,
        listen: Vec::new(),
        limits: Limits {
            memory_mib: positive(version.memory),
            tmp_mib: positive(version.storage),
            processes: options.processes,
            files: FILES,
        },
        uid: 0,
        scratch: PathBuf::new(),
    };
    Start { spec, destinations }
}

fn environment(
    reference: &Reference,
    version: &Version,
    credentials: &RoleCredentials,
    endpoint: Option<&Endpoint>,
    stream: &str,
) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |name: &str, value: &str| {
        all.insert(name.to_owned(), value.to_owned());
    };
    set("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin");
    set("LANG", "C.UTF-8");
    set("TZ", ":UTC");
    set("HOME", "/tmp");
    set("LD_LIBRARY_PATH", "/var/task:/var/task/lib:/opt/lib");
    set("NODE_PATH", "/opt/nodejs/node_modules:/var/task/node_modules:/var/task");
    // What AWS's rotation functions are told of Secrets Manager, unless their owner says else.
    if let Some(endpoint) = endpoint {
        set("SECRETS_MANAGER_ENDPOINT", &endpoint.url);
        set("AWS_ENDPOINT_URL", &endpoint.url);
        if endpoint.authority.is_some() {
            for name in ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
                set(name, AUTHORITY);
            }
        }
    }
    for (name, value) in version.environment.iter().flatten() {
        set(name, value);
    }
    let group = format!("/aws/lambda/{}", reference.name);
    let memory = version.memory.to_string();
    let engine = format!("AWS_Lambda_{}", version.runtime);
    for (name, value) in [
        ("_HANDLER", version.handler.as_deref().unwrap_or_default()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.0.as_str()),
        ("AWS_SESSION_TOKEN", credentials.session_token.0.as_str()),
        ("AWS_REGION", reference.region.as_str()),
        ("AWS_DEFAULT_REGION", reference.region.as_str()),
        ("AWS_EXECUTION_ENV", engine.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", reference.name.as_str()),
        ("AWS_LAMBDA_FUNCTION_VERSION", version.version.as_str()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.as_str()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", version.log_group.as_deref().unwrap_or(&group)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_LAMBDA_LOG_FORMAT", if version.log_json.is_some() { "JSON" } else { "Text" }),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ] {
        set(name, value);
    }
    if let Some(levels) = &version.log_json {
        set("AWS_LAMBDA_LOG_LEVEL", &levels.application);
    }
    all
}

/// What can be reached, and the names of what is found at addresses of the function's own.
fn reach(
    network: &Network,
    endpoint: Option<&Endpoint>,
) -> (Vec<Destination>, Vec<(String, String)>) {
    let Network::Only(wanted) = network else { return (Vec::new(), Vec::new()) };
    let mut found: Vec<Destination> = Vec::new();
    let mut hosts = Vec::new();
    if let Some(endpoint) = endpoint {
        let inside = SocketAddr::from((Ipv4Addr::LOCALHOST, endpoint.address.port()));
        let address = endpoint.address;
        let outside = if address.ip().is_unspecified() { inside } else { address };
        found.push(Destination { inside, outside: outside.to_string() });
        let host = endpoint.url.split("://").nth(1).and_then(|rest| rest.rsplit_once(':'));
        if let Some((host, _)) = host.filter(|(host, _)| host.parse::<IpAddr>().is_err()) {
            hosts.push((host.to_owned(), Ipv4Addr::LOCALHOST.to_string()));
        }
    }
    for (number, one) in (1_u8..=250).zip(wanted) {
        let Some((host, port)) = one.rsplit_once(':') else { continue };
        let Ok(port) = port.parse::<u16>() else { continue };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = match bare.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) if host == "localhost" => Ipv4Addr::LOCALHOST.into(),
            Err(_) => {
                let address = Ipv4Addr::new(127, 77, 0, number);
                hosts.push((host.to_owned(), address.to_string()));
                address.into()
            }
        };
        let inside = SocketAddr::from((address, port));
        if found.iter().all(|other| other.inside != inside) {
            found.push(Destination { inside, outside: one.clone() });
        }
    }
    (found, hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_at_addresses_of_the_functions_own() {
        let network = Network::Only(vec![
            "127.0.0.1:5432".to_owned(),
            "db.internal:5432".to_owned(),
            "10.0.0.7:3306".to_owned(),
            "nonsense".to_owned(),
        ]);
        let (destinations, hosts) = reach(&network, None);
        let inside: Vec<String> = destinations.iter().map(|one| one.inside.to_string()).collect();
        assert_eq!(inside, ["127.0.0.1:5432", "127.77.0.2:5432", "10.0.0.7:3306"]);
        assert_eq!(hosts, [("db.internal".to_owned(), "127.77.0.2".to_owned())]);
    }
}
