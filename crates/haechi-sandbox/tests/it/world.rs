//! A folder, a launcher, and instances of `bootstrap.py`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use haechi_sandbox::{
    Bind, Destination, InitFailure, Instance, Invocation, Isolation, Launcher, Limits, Outcome,
    Spec,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

static UID: AtomicU32 = AtomicU32::new(0);

/// What is under test.
pub struct World {
    folder: TempDir,
    launcher: Launcher,
}

impl World {
    pub async fn new() -> World {
        let folder = TempDir::new().unwrap();
        let code = folder.path().join("code");
        std::fs::create_dir(&code).unwrap();
        std::fs::write(code.join("bootstrap.py"), include_str!("bootstrap.py")).unwrap();
        let runtime = folder.path().join("runtime");
        std::fs::create_dir(&runtime).unwrap();
        std::fs::write(runtime.join("version"), "3").unwrap();
        open(folder.path(), 0o755);
        let program = Path::new(env!("CARGO_BIN_EXE_haechi-sandbox-init"));
        let launcher = Launcher::new(program, true, &code).await.unwrap();
        println!("{}", launcher.isolation().describe());
        World { folder, launcher }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder that functions see where it is: usually in the machine's `/tmp`.
    pub fn runtime(&self) -> std::path::PathBuf {
        self.path().join("runtime")
    }

    pub fn isolation(&self) -> Isolation {
        self.launcher.isolation()
    }

    pub async fn start(&self, environment: &[(&str, &str)]) -> Running {
        let mut running = self.launch(environment).await;
        running.ready().await.unwrap();
        running
    }

    pub async fn start_reaching(&self, destinations: &[Destination]) -> Running {
        let mut running = self.run(&[], destinations).await;
        running.ready().await.unwrap();
        running
    }

    pub async fn launch(&self, environment: &[(&str, &str)]) -> Running {
        self.run(environment, &[]).await
    }

    async fn run(&self, environment: &[(&str, &str)], destinations: &[Destination]) -> Running {
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let code = self.folder.path().join("code");
        let script = if self.isolation().mounts {
            "/var/task/bootstrap.py".into()
        } else {
            code.join("bootstrap.py")
        };
        let spec = Spec {
            command: vec!["/usr/bin/python3".into(), "-u".into(), script.to_str().unwrap().into()],
            environment: BTreeMap::from_iter(environment),
            code,
            binds: vec![Bind { source: self.runtime(), target: self.runtime() }],
            covered: vec![COVERED.into()],
            hosts: Vec::new(),
            listen: Vec::new(),
            limits: Limits { memory_mib: 256, tmp_mib: 16, processes: 40, files: 256 },
            // Processes are counted by user.
            uid: 700_000_000 + UID.fetch_add(1, Ordering::Relaxed),
            scratch: self.folder.path().to_owned(),
        };
        let name = format!("test-{}", self.folder.path().file_name().unwrap().to_str().unwrap());
        let instance = self.launcher.start(&name, spec, destinations).await.unwrap();
        Running { instance, log: Vec::new(), count: 0 }
    }
}

/// A folder within what functions see, which they do not see.
pub const COVERED: &str = "/usr/local/share/haechi-sandbox-test";

/// Lets others read, as the code of functions is readable.
fn open(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// An instance, and what it said.
pub struct Running {
    instance: Instance,
    log: Vec<u8>,
    count: u32,
}

impl Running {
    pub async fn ready(&mut self) -> Result<Duration, InitFailure> {
        let log = &mut self.log;
        let mut sink = |bytes: &[u8]| log.extend(bytes.iter().take(10_000));
        self.instance.ready(Duration::from_secs(60), &mut sink).await
    }

    /// What comes of the Python.
    pub async fn outcome(&mut self, python: &str, limit: Duration) -> Outcome {
        self.count += 1;
        let invocation = Invocation {
            request_id: format!("request-{}", self.count),
            deadline_ms: 0,
            function_arn: "arn".into(),
            trace_id: None,
            client_context: None,
            payload: serde_json::to_vec(python).unwrap().into(),
        };
        let log = &mut self.log;
        let mut sink = |bytes: &[u8]| log.extend(bytes.iter().take(10_000));
        self.instance.invoke(invocation, limit, &mut sink).await.0
    }

    /// The `result` of Python that comes to its end.
    pub async fn run(&mut self, python: &str) -> serde_json::Value {
        match self.outcome(python, Duration::from_secs(60)).await {
            Outcome::Response(body) => serde_json::from_slice(&body).unwrap(),
            Outcome::Error(body) => panic!("{}", String::from_utf8_lossy(&body)),
            other => panic!("{other:?}, and said {}", String::from_utf8_lossy(&self.log)),
        }
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log).into_owned()
    }

    pub async fn end(self) {
        self.instance.end().await;
    }
}

/// Processes of the machine whose command line has the text.
pub fn processes_with(text: &str) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap();
    let lines = folders.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(text)).count()
}

/// A server that sends back what it gets, and its port.
pub async fn echo() -> (Destination, u16) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 64];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    stream.write_all(&buffer[..count]).await.unwrap();
                }
            });
        }
    });
    (Destination { inside: address, outside: address.to_string() }, address.port())
}
