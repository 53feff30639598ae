//! `haechi serve`.
//!
//! ```text
//! start ─► (sealed.rs, until enough shares) ─► prepare.rs ─► serving ─► stopped
//!   ▲                                                           │
//!   └── the program anew: haechi operator seal, haechi migrate ──┘
//! ```
//!
//! Sealing again ends the program and starts it anew in its place: what held a key is then gone with
//! all of its memory, whatever still pointed to it.

mod announce;
mod background;
mod prepare;
mod process;
mod sealed;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Clock, Env, MovableClock, SystemClock};
use haechi_crypto::process_hardening;
use haechi_crypto::seal::SealMethod;
use haechi_gateway::admin::Admin;
use haechi_gateway::{Gateway, Port};
use tokio::sync::watch;

use crate::Failure;
use crate::cli::ServeOptions;
use crate::config::Config;
use crate::data::DataDirectory;
use crate::moving;
use crate::operator::{self, Door};
use crate::stack::environment;
use crate::storage::{self, Storage};
use crate::unseal::{load_seal, unseal};
use crate::xks;
use background::flush;
use prepare::{Opened, Parts, Ready, prepare};

/// How long duties that are under way are waited for at the end.
const DUTIES_END_MAX: Duration = Duration::from_secs(5);

/// Serves until told to stop.
///
/// # Errors
/// A sentence for the operator.
pub fn run(options: ServeOptions) -> Result<ExitCode, Failure> {
    // Now, since an update may put another program in this one's place.
    let program = std::env::current_exe()?;
    let config = Config::new(options)?;
    process::log(&config)?;
    process_hardening()?;
    haechi_crypto::check_fips()?;
    process::raise_file_limit();
    process::seed_random()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match runtime.block_on(serve(config))? {
        Ended::Stopped => Ok(ExitCode::SUCCESS),
        Ended::Sealed | Ended::Moved => {
            drop(runtime);
            Err(begin_anew(&program))
        }
        Ended::LeftBehind(why) => Err(why.into()),
    }
}

/// Why serving ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    /// By a signal.
    Stopped,
    /// By the operator, who wants the keys dropped.
    Sealed,
    /// Its records lie in etcd now.
    Moved,
    /// Others have gone on to something that this node does not know.
    LeftBehind(String),
}

/// Puts a new start of the program in this one's place; the memory of this one ceases to be.
fn begin_anew(program: &Path) -> Failure {
    use std::os::unix::process::CommandExt;
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).exec();
    format!("haechi has ended in order to start anew, and cannot: {error}. Start it").into()
}

/// What outlives being sealed.
struct Server {
    config: Config,
    env: Env,
    movable: Arc<MovableClock>,
    data: Option<DataDirectory>,
    admin: Option<Admin>,
    /// Which gateway the operator's port tells of.
    shown: Option<watch::Sender<Arc<Gateway>>>,
    stop: watch::Receiver<bool>,
}

async fn serve(config: Config) -> Result<Ended, Failure> {
    let stop = process::stop_signal()?;
    let movable = Arc::new(MovableClock::new(SystemClock));
    let clock: Arc<dyn Clock> =
        if config.dev.is_some() { Arc::clone(&movable) as _ } else { Arc::new(SystemClock) };
    let env = environment(clock);
    let admin = match config.admin_listen {
        Some(address) => Some(Admin::bind(address).await.map_err(|error| {
            format!("cannot listen on {address} for the operator: {error}. --admin-listen chooses another address, or `off`")
        })?),
        None => None,
    };
    let data = config.data.as_deref().map(DataDirectory::open_or_create).transpose()?;
    let _lock = data.as_ref().map(DataDirectory::lock).transpose()?;
    Server { config, env, movable, data, admin, shown: None, stop }.run().await
}

impl Server {
    async fn run(mut self) -> Result<Ended, Failure> {
        let Some(data) = self.data.clone() else {
            let ready = self.prepare(None, &Storage::Embedded, None).await?;
            return self.serve(ready, None).await;
        };
        let door = Arc::new(Door::new(&data));
        let before = Storage::of(&data)?;
        let storage = Storage::settle(self.config.storage.as_ref(), &data)?;
        if storage.is_shared() {
            moving::set_aside(&data)?;
        }
        let seal = load_seal(&data)?;
        if seal.is_none() && storage.is_shared() && !storage::peek(&data, "/keyring/")?.is_empty() {
            return Err(format!(
                "other nodes have records in this etcd already: copy seal.json of one of them to {} (and what its root key lies in), so that this node opens them too",
                data.path().display()
            )
            .into());
        }
        let shared = seal.as_ref().and_then(|seal| match seal.method() {
            SealMethod::Shamir(shared) => Some(shared.clone()),
            _ => None,
        });
        match operator::bind(&data) {
            Ok(socket) => drop(tokio::spawn(operator::serve(socket, Arc::clone(&door)))),
            // Nobody could give a share.
            Err(error) if shared.is_some() => return Err(error),
            // haechi serves all the same: commands then need it stopped.
            Err(error) => tracing::warn!(%error, "the operator's commands need the server stopped"),
        }
        let (opened, port): (Opened, Option<Port>) = match (seal, shared) {
            (Some(seal), Some(shared)) => {
                match sealed::wait(&mut self, &data, &storage, &door, &shared).await? {
                    Some((root, port)) => {
                        seal.verify(&root)?;
                        ((seal, root), Some(port))
                    }
                    None => return Ok(Ended::Stopped),
                }
            }
            _ => (unseal(&data, &self.config.seal, true, &*self.env.random)?, None),
        };
        let prepared = self.prepare(Some((&data, opened)), &storage, port).await;
        if prepared.is_err() && before != storage {
            // Nothing of this directory lies there.
            before.note(&data)?;
        }
        let ready = prepared?;
        door.open(&ready.installation);
        self.serve(ready, Some(&door)).await
    }

    async fn prepare(
        &self,
        data: Option<(&DataDirectory, Opened)>,
        storage: &Storage,
        port: Option<Port>,
    ) -> Result<Ready, Failure> {
        let Server { config, env, movable, .. } = self;
        prepare(Parts { config, env, movable, data, storage, port }).await
    }

    /// Serves until told to stop, or to be sealed.
    async fn serve(mut self, ready: Ready, door: Option<&Door>) -> Result<Ended, Failure> {
        self.show(&ready.gateway);
        announce::functions(&ready, &self.config).await;
        announce::announce(&self.config, &ready)?;
        let (tell, stop) = watch::channel(false);
        let mut signal = self.stop.clone();
        let ended = async {
            let asked = async {
                match door {
                    Some(door) => door.seal_asked().await,
                    None => std::future::pending().await,
                }
            };
            let moved = async {
                match &ready.installation.moving {
                    Some(moving) => moving.moved().await,
                    None => std::future::pending().await,
                }
            };
            let left_behind = async {
                match &ready.installation.cluster {
                    Some(cluster) => cluster.must_end().await,
                    None => std::future::pending().await,
                }
            };
            let ended = tokio::select! {
                _ = signal.wait_for(|stop| *stop) => Ended::Stopped,
                () = asked => Ended::Sealed,
                () = moved => Ended::Moved,
                why = left_behind => Ended::LeftBehind(why),
            };
            if let Some(door) = door {
                door.shut();
            }
            tell.send_replace(true);
            ready.installation.stack.sqs.end_waiting();
            ended
        };
        let proxying = async {
            if let Some(xks::Proxy { listener, server }) = ready.xks {
                listener.run(server, stop.clone()).await;
            }
        };
        let hearing = async {
            if let Some(peering) = ready.peering {
                peering.run(&ready.installation.stack.database, stop.clone()).await;
            }
        };
        let serving = ready.listener.run(Arc::clone(&ready.gateway), stop.clone());
        let (ended, (), (), ()) = tokio::join!(ended, serving, proxying, hearing);
        ready.duties.abort();
        flush(&ready.installation.stack).await;
        ready.installation.stack.lambda.runner().end_all().await;
        if !ready.installation.stack.jobs.settle(DUTIES_END_MAX).await {
            tracing::warn!("some duties have not ended; they are done after the next start");
        }
        if let Some(cluster) = &ready.installation.cluster {
            cluster.leave().await;
        }
        ready.installation.close().await?;
        tracing::info!(?ended, "stopped");
        Ok(ended)
    }

    /// Has the operator's port tell of this gateway from now on.
    fn show(&mut self, gateway: &Arc<Gateway>) {
        if let Some(admin) = self.admin.take() {
            let (shown, standing) = watch::channel(Arc::clone(gateway));
            tokio::spawn(admin.run(standing));
            self.shown = Some(shown);
        } else if let Some(shown) = &self.shown {
            shown.send_replace(Arc::clone(gateway));
        }
    }
}
