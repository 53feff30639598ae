//! Instances: which are warm, how many may be.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use haechi_core::Env;
use haechi_sandbox::{Instance, Isolation, Launcher};
use haechi_wire::Fault;
use tokio::sync::OnceCell;

use crate::room::Room;
use crate::start::{Endpoint, Network, Options, Start};

/// How old an instance may be when it gets an event: its credentials last an hour.
const AGE_MAX_MS: i64 = 40 * 60 * 1000;

/// How often waiting instances are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Users of instances: numbers that no machine gives to people.
const UID_FIRST: u32 = 700_000_000;
const UIDS: u32 = 100_000;

/// Where instances run.
pub struct Runner {
    options: OnceLock<Options>,
    /// One archive is unpacked at a time, into this room.
    pub(crate) unpacking: Arc<tokio::sync::Mutex<Room>>,
    env: Env,
    endpoint: OnceLock<Endpoint>,
    launcher: OnceCell<Launcher>,
    state: Arc<Mutex<State>>,
    next: AtomicU32,
}

#[derive(Default)]
struct State {
    /// Instances that work, by function.
    busy: HashMap<String, usize>,
    /// Instances that wait, the one that waited longest first.
    idle: Vec<Warm>,
}

/// An instance, and whose it is.
pub(crate) struct Warm {
    pub(crate) instance: Instance,
    /// The version and its revision.
    pub(crate) key: String,
    started_ms: i64,
    idle_ms: i64,
}

/// Leave for an instance to work; given back when it is dropped.
pub(crate) struct Place {
    state: Arc<Mutex<State>>,
    function: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = state.busy.get_mut(&self.function) {
            *count = count.saturating_sub(1);
        }
        state.busy.retain(|_, count| *count > 0);
    }
}

/// Why there is no leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The function has as many as it may.
    Reserved,
    /// All functions together have.
    All,
}

impl Runner {
    pub(crate) fn new(env: Env) -> Runner {
        Runner {
            options: OnceLock::new(),
            env,
            unpacking: Arc::default(),
            endpoint: OnceLock::new(),
            launcher: OnceCell::new(),
            state: Arc::default(),
            next: AtomicU32::new(0),
        }
    }

    /// Takes over what the operator decides; the first time counts.
    pub fn configure(&self, options: Options) {
        self.options.get_or_init(|| options);
    }

    pub(crate) fn options(&self) -> &Options {
        self.options.get_or_init(Options::default)
    }

    /// Tells where functions reach haechi.
    pub fn reachable_at(&self, endpoint: Endpoint) {
        self.endpoint.get_or_init(|| endpoint);
    }

    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.get()
    }

    /// What shuts functions in here; found out by trying.
    ///
    /// # Errors
    /// If a try told nothing; the next call tries again.
    pub async fn isolation(&self) -> Result<Isolation, Fault> {
        Ok(self.launcher().await?.isolation())
    }

    /// Whether functions run here, with what is in force.
    ///
    /// # Errors
    /// As [`Self::isolation`].
    pub async fn runs(&self) -> Result<bool, Fault> {
        let isolation = self.isolation().await?;
        let missing = isolation.missing();
        let chosen = matches!(self.options().network, Network::Machine);
        let weak = missing.iter().any(|part| !(chosen && *part == "network namespaces"));
        Ok(!weak || self.options().allow_weak_isolation)
    }

    async fn launcher(&self) -> Result<&Launcher, Fault> {
        let own_network = matches!(self.options().network, Network::Only(_));
        let (program, scratch) = (&self.options().program, self.options().folder.join("try"));
        self.launcher
            .get_or_try_init(|| async {
                if let Err(error) = std::fs::create_dir_all(&scratch) {
                    tracing::warn!(%error, "the folder of functions cannot be made");
                }
                Launcher::new(program, own_network, &scratch).await
            })
            .await
            .map_err(|failure| Fault::Unavailable {
                message: "What shuts functions in here could not be found out in time. Try again.",
                source: failure.into(),
            })
    }

    /// Where the code of an id lies unpacked.
    pub(crate) fn code_folder(&self, id: &str) -> PathBuf {
        self.options().folder.join("code").join(id)
    }

    /// Leave for one more instance of a function to work.
    pub(crate) fn enter(&self, function: &str, reserved: Option<i32>) -> Result<Place, Full> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = state.busy.values().sum();
        let busy = state.busy.entry(function.to_owned()).or_default();
        if let Some(reserved) = reserved
            && *busy >= usize::try_from(reserved).unwrap_or(0)
        {
            return Err(Full::Reserved);
        }
        if all >= self.options().concurrency {
            return Err(Full::All);
        }
        *busy += 1;
        drop(state);
        Ok(Place { state: Arc::clone(&self.state), function: function.to_owned() })
    }

    /// A warm instance of a version, if one waits and is alive.
    pub(crate) async fn warm(&self, key: &str) -> Option<Warm> {
        loop {
            let mut found = self.take(|warm| warm.key == key)?;
            let age = self.env.now().millis() - found.started_ms;
            if age < AGE_MAX_MS && found.instance.is_alive().await {
                return Some(found);
            }
            found.instance.end().await;
        }
    }

    /// The one that waited least, of those that fit.
    fn take(&self, fits: impl Fn(&Warm) -> bool) -> Option<Warm> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let at = state.idle.iter().rposition(fits)?;
        Some(state.idle.remove(at))
    }

    /// Starts an instance; one that waits makes room, where it is needed.
    pub(crate) async fn cold(
        &self,
        key: String,
        code: PathBuf,
        mut start: Start,
    ) -> Result<Warm, Fault> {
        let oldest = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let busy: usize = state.busy.values().sum();
            let full = busy + state.idle.len() > self.options().concurrency;
            (full && !state.idle.is_empty()).then(|| state.idle.remove(0))
        };
        if let Some(oldest) = oldest {
            oldest.instance.end().await;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        start.spec.uid = UID_FIRST + number % UIDS;
        start.spec.code = code;
        start.spec.scratch = std::env::temp_dir();
        let launcher = self.launcher().await?;
        let instance = launcher.start(&name, start.spec, &start.destinations).await;
        let instance = instance.map_err(Fault::internal)?;
        let now = self.env.now().millis();
        Ok(Warm { instance, key, started_ms: now, idle_ms: now })
    }

    /// Has an instance wait for its next event.
    pub(crate) fn keep(&self, mut warm: Warm) {
        warm.idle_ms = self.env.now().millis();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.idle.push(warm);
    }

    /// Ends instances that wait too long, for ever.
    pub async fn tidy_forever(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let before = self.env.now().plus_seconds(-self.options().idle_seconds).millis();
            while let Some(old) = self.take(|warm| warm.idle_ms < before) {
                old.instance.end().await;
            }
        }
    }

    /// Ends all instances that wait.
    pub async fn end_all(&self) {
        while let Some(warm) = self.take(|_| true) {
            warm.instance.end().await;
        }
    }
}
