//! One instance: started, invoked again and again, ended.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cgroup::Cgroups;
use crate::control::Order;
use crate::forward::{Destination, forward};
use crate::isolation::Isolation;
use crate::process::{Exit, Log, Process, SETUP_MAX};
use crate::runtime_api::{Event, serve};
use crate::spec::{Limits, Spec};

/// What a program that has ended may still have sent is waited for so long.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// An event for a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The id, which the answer names.
    pub request_id: String,
    /// When it is to be done, in milliseconds of Unix time, by the machine's clock.
    pub deadline_ms: i64,
    /// As it was invoked.
    pub function_arn: String,
    /// For AWS X-Ray; passed on only.
    pub trace_id: Option<String>,
    /// JSON of the mobile SDK's.
    pub client_context: Option<String>,
    /// The event.
    pub payload: Bytes,
}

/// What came of an invocation.
#[derive(Debug)]
pub enum Outcome {
    /// The function answered.
    Response(Bytes),
    /// The function failed, in its runtime's words.
    Error(Bytes),
    /// The answer is longer than [`crate::PAYLOAD_MAX`]; the instance is of no more use.
    TooLarge,
    /// The program has ended.
    Exited(Exit),
    /// It took too long; the instance is of no more use.
    TimedOut,
}

/// Why a program did not come to wait for an event.
#[derive(Debug)]
pub enum InitFailure {
    /// In its runtime's words.
    Error(Bytes),
    /// The program has ended.
    Exited(Exit),
    /// It took too long.
    TimedOut,
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
#[error("a function could not be started: {0}")]
pub struct StartFailure(#[from] std::io::Error);

/// How often an isolation is tried whose tries tell nothing.
const TRIES: usize = 3;

/// Whether a failed try says nothing of the isolation: the machine is slow, or full, just now.
fn tells_nothing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::OutOfMemory)
}

/// Starts instances.
pub struct Launcher {
    program: PathBuf,
    isolation: Isolation,
    cgroups: Option<Cgroups>,
}

impl Launcher {
    /// Finds out what works here, by trying. `program` takes the steps ([`crate::run_step`]);
    /// with `own_network`, functions get a network of their own, where that works.
    ///
    /// # Errors
    /// If a try comes to no end in time, or the machine has no room for it: that tells nothing of
    /// what works, so nothing weaker is tried in its place.
    pub async fn new(
        program: &Path,
        own_network: bool,
        scratch: &Path,
    ) -> Result<Launcher, StartFailure> {
        Launcher::with_patience(program, own_network, scratch, SETUP_MAX).await
    }

    /// As [`Launcher::new`], with the time that each step of a try may take.
    ///
    /// # Errors
    /// As [`Launcher::new`].
    pub async fn with_patience(
        program: &Path,
        own_network: bool,
        scratch: &Path,
        patience: Duration,
    ) -> Result<Launcher, StartFailure> {
        let cgroups = tokio::task::spawn_blocking(Cgroups::find).await.ok().flatten();
        let mut launcher =
            Launcher { program: program.to_owned(), isolation: Isolation::default(), cgroups };
        let root = rustix::process::geteuid().is_root();
        let whole = Isolation {
            user_namespace: false,
            mounts: true,
            processes: true,
            network: own_network,
            seccomp: true,
            cgroup: launcher.cgroups.is_some(),
            own_user: root,
        };
        let nested = Isolation { user_namespace: true, own_user: false, ..whole };
        let none = Isolation { mounts: false, processes: false, network: false, ..whole };
        let tries: &[Isolation] = if root { &[whole, nested, none] } else { &[nested, none] };
        for wanted in tries.iter().flat_map(|one| [*one, Isolation { seccomp: false, ..*one }]) {
            match launcher.works_for_sure(wanted, scratch, patience).await {
                Ok(()) => {
                    launcher.isolation = wanted;
                    return Ok(launcher);
                }
                Err(error) if tells_nothing(&error) => return Err(error.into()),
                Err(error) => {
                    tracing::debug!(%error, isolation = wanted.describe(), "does not work here");
                }
            }
        }
        Ok(launcher)
    }

    /// As [`Self::works`], tried again where a try tells nothing.
    async fn works_for_sure(
        &self,
        isolation: Isolation,
        scratch: &Path,
        patience: Duration,
    ) -> std::io::Result<()> {
        for _ in 1..TRIES {
            match self.works(isolation, scratch, patience).await {
                Err(error) if tells_nothing(&error) => {
                    tracing::warn!(%error, isolation = isolation.describe(), "tried again");
                }
                told => return told,
            }
        }
        self.works(isolation, scratch, patience).await
    }

    /// What is in force.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    async fn works(
        &self,
        isolation: Isolation,
        scratch: &Path,
        patience: Duration,
    ) -> std::io::Result<()> {
        let limits = Limits { memory_mib: 128, tmp_mib: 16, processes: 64, files: 64 };
        let spec = Spec {
            command: vec!["/bin/sh".to_owned(), "-c".to_owned(), "exit 7".to_owned()],
            environment: std::collections::BTreeMap::default(),
            code: scratch.to_owned(),
            binds: Vec::new(),
            covered: Vec::new(),
            hosts: Vec::new(),
            listen: Vec::new(),
            limits,
            uid: crate::privileges::USER_INSIDE,
            scratch: scratch.to_owned(),
        };
        let runtime_api = (!isolation.network).then(|| "127.0.0.1:9".to_owned());
        let order = Order { isolation, spec, runtime_api };
        let (mut process, mut log, _) =
            Process::start(&self.program, &order, None, patience).await?;
        let exit = tokio::time::timeout(patience, process.exited()).await;
        let mut said = vec![0; 1024];
        let count = log.read_now(&mut said);
        process.end().await;
        match exit {
            Ok(Exit::Code(7)) => Ok(()),
            Err(_) => Err(ErrorKind::TimedOut.into()),
            Ok(_) => {
                let said = said.get(..count).unwrap_or_default();
                Err(std::io::Error::other(String::from_utf8_lossy(said).into_owned()))
            }
        }
    }

    /// Starts an instance; it has not begun to wait for events then.
    ///
    /// # Errors
    /// If the machine refuses.
    pub async fn start(
        &self,
        name: &str,
        mut spec: Spec,
        destinations: &[Destination],
    ) -> Result<Instance, StartFailure> {
        let group = match &self.cgroups {
            Some(cgroups) if self.isolation.cgroup => Some(cgroups.group(name, &spec.limits)?),
            _ => None,
        };
        spec.listen = destinations.iter().map(|destination| destination.inside).collect();
        let own = if self.isolation.network {
            None
        } else {
            Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
        };
        let runtime_api = own.as_ref().map(TcpListener::local_addr).transpose()?;
        let runtime_api = runtime_api.map(|address| address.to_string());
        let order = Order { isolation: self.isolation, spec, runtime_api };
        let (process, log, listeners) =
            Process::start(&self.program, &order, group, SETUP_MAX).await?;
        let mut listeners = listeners.into_iter();
        let api = match (own, listeners.next()) {
            (Some(own), _) => own,
            (None, Some(listener)) => from_std(listener)?,
            (None, None) => return Err(std::io::Error::other("no listener came").into()),
        };
        let (invocations, invoked) = mpsc::channel(1);
        let (told, events) = mpsc::channel(16);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(api, invoked, told));
        for (listener, destination) in listeners.zip(destinations) {
            tasks.spawn(forward(from_std(listener)?, destination.outside.clone()));
        }
        Ok(Instance { process, log, invocations, events, _tasks: tasks })
    }
}

fn from_std(listener: std::net::TcpListener) -> std::io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// What takes a function's log.
pub type LogSink<'a> = &'a mut (dyn FnMut(&[u8]) + Send);

/// A program that waits for events, or works on one.
pub struct Instance {
    process: Process,
    log: Log,
    invocations: mpsc::Sender<Invocation>,
    events: mpsc::Receiver<Event>,
    /// End when this is dropped.
    _tasks: JoinSet<()>,
}

enum Waited {
    Event(Event),
    Exited(Exit),
    TimedOut,
}

impl Instance {
    /// Waits until the program waits for its first event; answers how long it took.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn ready(
        &mut self,
        limit: Duration,
        log: LogSink<'_>,
    ) -> Result<Duration, InitFailure> {
        let begun = Instant::now();
        let until = begun + limit;
        let failure = loop {
            match self.wait(until, log).await {
                Waited::Event(Event::Next) => break None,
                Waited::Event(Event::InitError { body }) => break Some(InitFailure::Error(body)),
                Waited::Event(_) => {}
                Waited::Exited(exit) => break Some(InitFailure::Exited(exit)),
                Waited::TimedOut => break Some(InitFailure::TimedOut),
            }
        };
        self.drain(log);
        failure.map_or(Ok(begun.elapsed()), Err)
    }

    /// Hands an event to the program, and waits for what comes of it; answers how long it took too.
    pub async fn invoke(
        &mut self,
        invocation: Invocation,
        limit: Duration,
        log: LogSink<'_>,
    ) -> (Outcome, Duration) {
        let begun = Instant::now();
        let until = begun + limit;
        let id = invocation.request_id.clone();
        // There is room for one, and the one before was taken.
        let _ = self.invocations.try_send(invocation);
        let outcome = loop {
            match self.wait(until, log).await {
                Waited::Event(Event::Response { request_id, body }) if request_id == id => {
                    break Outcome::Response(body);
                }
                Waited::Event(Event::Error { request_id, body }) if request_id == id => {
                    break Outcome::Error(body);
                }
                Waited::Event(Event::TooLarge { request_id }) if request_id == id => {
                    break Outcome::TooLarge;
                }
                // That it waits is told before it gets the event; other ids are late.
                Waited::Event(_) => {}
                Waited::Exited(exit) => break Outcome::Exited(exit),
                Waited::TimedOut => break Outcome::TimedOut,
            }
        };
        let took = begun.elapsed();
        // All that was written before the answer lies in the pipe by now.
        self.drain(log);
        (outcome, took)
    }

    /// Whether it can be invoked again, as far as is known.
    pub async fn is_alive(&mut self) -> bool {
        let exited = tokio::time::timeout(Duration::ZERO, self.process.exited()).await;
        exited.is_err() && !self.process.has_exited()
    }

    /// The most memory that it has used, in mebibytes, where that is counted.
    pub fn peak_mib(&self) -> Option<u64> {
        self.process.peak_mib()
    }

    /// Ends it, and all that it has begun.
    pub async fn end(self) {
        self.process.end().await;
    }

    async fn wait(&mut self, until: Instant, log: LogSink<'_>) -> Waited {
        let mut buffer = [0; 16 * 1024];
        loop {
            // The log comes last: whoever floods it does not put off his end.
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => return Waited::Event(event),
                () = tokio::time::sleep_until(until) => return Waited::TimedOut,
                exit = self.process.exited() => {
                    let last = tokio::time::timeout(LAST_WORDS, self.events.recv());
                    return match last.await {
                        Ok(Some(event)) => Waited::Event(event),
                        _ => Waited::Exited(exit),
                    };
                }
                count = self.log.read(&mut buffer) => {
                    if let Some(read) = buffer.get(..count) {
                        log(read);
                    }
                }
            }
        }
    }

    /// Reads what lies in the pipe: not more than it can hold.
    fn drain(&mut self, log: LogSink<'_>) {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..64 {
            let count = self.log.read_now(&mut buffer);
            match buffer.get(..count) {
                Some(read @ [_, ..]) => log(read),
                _ => return,
            }
        }
    }
}
