//! What an instance sees: environment, files, what it can reach.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use haechi_sandbox::{Bind, Destination, Limits, Spec};

use crate::reference::Reference;
use crate::role::RoleCredentials;
use crate::store::Version;

/// Where an instance finds the certificate of haechi's own authority.
const AUTHORITY: &str = "/etc/haechi/ca.pem";

/// The program of a function that brings its own runtime.
const BOOTSTRAP: &str = "/var/task/bootstrap";

/// Names a program that is run with the runtime's command line.
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

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
            let command = vec![BOOTSTRAP.to_owned()];
            provided.then_some(RuntimeOptions { command, paths: Vec::new() })
        })
    }
}

/// Why code that is to bring its own runtime cannot be run, where that is plain; in AWS's words.
pub(crate) fn no_entry(runtime: &RuntimeOptions, code: &Path) -> Option<String> {
    if runtime.command != [BOOTSTRAP] {
        return None;
    }
    // A link is the function's own affair: it leads to where the function sees it.
    let entry = fs::symlink_metadata(code.join("bootstrap")).ok().filter(|entry| !entry.is_dir());
    match entry {
        None => Some(format!("Couldn't find valid bootstrap(s): [{BOOTSTRAP} /opt/bootstrap]")),
        Some(entry) if entry.is_file() && entry.permissions().mode() & 0o111 == 0 => {
            Some(format!("fork/exec {BOOTSTRAP}: permission denied"))
        }
        Some(_) => None,
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
    let command = command(version, runtime);
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

/// The interpreter and the handler, or the wrapper that the function wants around them.
fn command(version: &Version, runtime: &RuntimeOptions) -> Vec<String> {
    let plain = runtime.command.clone();
    if version.runtime.starts_with("provided") {
        return plain;
    }
    let wrapper = version.environment.as_ref().and_then(|all| all.get(WRAPPER));
    let wrapper = wrapper.filter(|path| !path.is_empty());
    // By a shell, as with AWS: it tells by its exit status that there is no such program.
    let shell = |path: &String| ["/bin/sh", "-c", r#"exec "$0" "$@""#, path].map(str::to_owned);
    wrapper
        .iter()
        .flat_map(|path| shell(path))
        .chain(plain)
        .chain(version.handler.clone())
        .collect()
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
    // Not AWS's en_US: where that is not installed, programs fall back to ASCII.
    set("LANG", "C.UTF-8");
    set("PWD", "/var/task");
    set("SHLVL", "0");
    set("TZ", ":UTC");
    set("HOME", "/tmp");
    set("LD_LIBRARY_PATH", "/var/task:/var/task/lib:/opt/lib");
    if version.runtime.starts_with("nodejs") {
        set("NODE_PATH", "/opt/nodejs/node_modules:/var/task/node_modules:/var/task");
    }
    if version.runtime.starts_with("python") {
        set("LC_CTYPE", "C.UTF-8");
        set("PYTHONPATH", "/var/runtime");
    }
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
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ] {
        set(name, value);
    }
    if let Some(levels) = &version.log_json {
        set("AWS_LAMBDA_LOG_FORMAT", "JSON");
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
pub(crate) mod tests {
    use std::process::Command;

    use haechi_wire::SecretString;
    use serde_json::json;

    use super::*;

    pub(crate) fn version(runtime: &str, variables: &[(&str, &str)]) -> Version {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let told = json!({
            "version": "$LATEST", "code": {"id": "c", "pieces": 1, "size": 1, "sha256": ""},
            "runtime": runtime, "handler": "index.handler", "role": "r", "description": "",
            "timeout": 3, "memory": 128, "storage": 512, "environment": variables,
            "dead_letter_arn": null, "architecture": "x86_64", "tracing": "PassThrough",
            "log_group": null, "modified_ms": 0, "revision": "r",
        });
        serde_json::from_value(told).unwrap()
    }

    /// What a command says, and its exit status.
    fn ran(command: &[String]) -> (String, Option<i32>) {
        let (program, arguments) = command.split_first().unwrap();
        let output = Command::new(program).args(arguments).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    }

    #[test]
    fn a_wrapper_is_run_with_the_runtimes_command_line() {
        let interpreter = ["/bin/echo", "-m", "a b"].map(str::to_owned).to_vec();
        let runtime = RuntimeOptions { command: interpreter, paths: Vec::new() };
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("wrap.sh");
        std::fs::write(&path, "#!/bin/sh\necho $#\nexec \"$@\"\n").unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).unwrap();
        let path = path.to_str().unwrap();
        let run = |name, wrapper| ran(&command(&version(name, &[(WRAPPER, wrapper)]), &runtime));
        let wrapped = ("4\n-m a b index.handler\n".to_owned(), Some(0));
        assert_eq!(run("python3.12", path), wrapped);
        assert_eq!(run("python3.12", "/idontexist.sh"), (String::new(), Some(127)));
        let plain = ("-m a b index.handler\n".to_owned(), Some(0));
        assert_eq!(run("python3.12", ""), plain);
        // Programs of the function's own have none, as with AWS.
        assert_eq!(run("provided.al2023", path), ("-m a b\n".to_owned(), Some(0)));
    }

    #[test]
    fn code_without_a_bootstrap_that_can_be_run_is_told_as_aws_does() {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, options) = (folder.path().join("bootstrap"), Options::default());
        let runtime = options.command("provided.al2023").unwrap();
        let missing = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
        assert_eq!(no_entry(&runtime, folder.path()).as_deref(), Some(missing));
        fs::create_dir(&path).unwrap();
        assert_eq!(no_entry(&runtime, folder.path()).as_deref(), Some(missing));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let denied = "fork/exec /var/task/bootstrap: permission denied";
        assert_eq!(no_entry(&runtime, folder.path()).as_deref(), Some(denied));
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(no_entry(&runtime, folder.path()), None);
        let own =
            RuntimeOptions { command: vec!["/usr/bin/python3".to_owned()], paths: Vec::new() };
        assert_eq!(no_entry(&own, &path), None);
    }

    #[test]
    fn a_function_sees_the_variables_of_its_own_runtime() {
        let reference = "arn:aws:lambda:us-east-1:111122223333:function:f";
        let reference = Reference::parse(reference).unwrap();
        let secret = || SecretString("s".to_owned());
        let credentials = RoleCredentials {
            access_key_id: "a".to_owned(),
            secret_access_key: secret(),
            session_token: secret(),
        };
        let seen = |runtime| {
            let version = version(runtime, &[("SHLVL", "7")]);
            environment(&reference, &version, &credentials, None, "stream")
        };
        let told = |all: &BTreeMap<String, String>, names: [&str; 6]| {
            names.map(|name| all.get(name).cloned().unwrap_or_default())
        };
        let names =
            ["PWD", "SHLVL", "LC_CTYPE", "PYTHONPATH", "NODE_PATH", "AWS_LAMBDA_LOG_FORMAT"];
        let python = seen("python3.12");
        assert_eq!(told(&python, names), ["/var/task", "7", "C.UTF-8", "/var/runtime", "", ""]);
        let node = "/opt/nodejs/node_modules:/var/task/node_modules:/var/task";
        assert_eq!(told(&seen("nodejs20.x"), names), ["/var/task", "7", "", "", node, ""]);
    }

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
