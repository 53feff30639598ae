//! Time, randomness and ids: made in `main`, handed to everything, so that a test can move the
//! clock and seed the rest. Elsewhere `clippy.toml` bans the wall clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use haechi_crypto::{CryptoError, Random};
use haechi_wire::{Fault, Timestamp};

use crate::{GuardrailSource, Guardrails, Principals};

/// The time of day.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = since_epoch.map_or(0, |elapsed| elapsed.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// The machine's clock, or a fixed instant, moved by an offset: `--dev` and tests.
pub struct MovableClock {
    base: Box<dyn Clock>,
    offset_ms: AtomicI64,
}

impl MovableClock {
    /// Moves in front of `base`.
    pub fn new(base: impl Clock) -> Self {
        MovableClock { base: Box::new(base), offset_ms: AtomicI64::new(0) }
    }

    /// Lets time pass; saturates.
    pub fn advance(&self, seconds: i64) {
        let by = seconds.saturating_mul(1000);
        self.offset_ms
            .update(Ordering::SeqCst, Ordering::SeqCst, |offset| offset.saturating_add(by));
    }

    /// Takes back all that was let pass.
    pub fn reset(&self) {
        self.offset_ms.store(0, Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset_ms.load(Ordering::SeqCst);
        Timestamp::from_millis(self.base.now().millis().saturating_add(offset))
    }
}

impl Clock for Timestamp {
    /// A clock that stands still.
    fn now(&self) -> Timestamp {
        *self
    }
}

/// What the outside world supplies.
#[derive(Clone)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Strong random bytes.
    pub random: Arc<dyn Random>,
    guardrails: Arc<OnceLock<Arc<dyn GuardrailSource>>>,
    principals: Arc<OnceLock<Arc<dyn Principals>>>,
}

impl Env {
    /// Time and randomness, where no organization lays anything over what services do, and nobody
    /// says who exists.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Env {
        Env { clock, random, guardrails: Arc::default(), principals: Arc::default() }
    }

    /// Lays the guardrails of `source` over the calls that services make for themselves, with this
    /// and all its clones; the first that are laid stay.
    pub fn guard(&self, source: Arc<dyn GuardrailSource>) {
        self.guardrails.get_or_init(|| source);
    }

    /// What lies over a call that a service makes for itself; `None` without organizations.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn guardrails(&self) -> Result<Option<Arc<Guardrails>>, Fault> {
        match self.guardrails.get() {
            Some(source) => Ok(Some(source.guardrails().await?)),
            None => Ok(None),
        }
    }

    /// Lets resource policies name only users and roles that exist, with this and all its clones;
    /// the first source that is given stays. Without one every name is taken. The services' own
    /// has one; that of a call, which the listener makes, does not.
    pub fn know(&self, principals: Arc<dyn Principals>) {
        self.principals.get_or_init(|| principals);
    }

    /// Who exists, if somebody says it.
    pub fn principals(&self) -> Option<&Arc<dyn Principals>> {
        self.principals.get()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A random (version 4) UUID.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn uuid(&self) -> Result<uuid::Uuid, CryptoError> {
        let mut bytes = [0; 16];
        self.random.fill_name(&mut bytes)?;
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// `length` random characters of `alphabet`, each equally likely.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn characters(&self, alphabet: &[u8], length: usize) -> Result<String, CryptoError> {
        // Rejection keeps the draw even: bytes beyond the last whole multiple are thrown away.
        let size = alphabet.len().clamp(1, 256);
        let limit = 256 - 256 % size;
        let mut out = String::with_capacity(length);
        let mut pool = [0; 64];
        while out.len() < length {
            self.random.fill(&mut pool)?;
            let accepted = pool.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < limit);
            let drawn = accepted.filter_map(|byte| alphabet.get(byte % size));
            out.extend(drawn.take(length - out.len()).map(|byte| char::from(*byte)));
        }
        Ok(out)
    }
}
