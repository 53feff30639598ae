//! Threads for work that would hold up the reactor: RSA, whose private operations take from half a
//! millisecond, and whose keys take up to seconds to make.
//!
//! Bounded, so that a caller who asks for many RSA keys at once cannot take every thread. Making
//! keys and using them wait in different queues: signatures do not stand behind new keys.

use std::sync::Arc;

use haechi_core::Permit;
use haechi_crypto::{CryptoError, KeyMaterial, KeySpec, Random};
use haechi_kms_model::Error;
use haechi_wire::Fault;
use tokio::sync::Semaphore;

use crate::Kms;
use crate::material::Material;
use crate::store::Key;

/// A bound on how much slow work is done at a time.
pub(crate) struct Workers {
    making: Arc<Semaphore>,
    using: Arc<Semaphore>,
}

impl Workers {
    /// As many as there are processors; half of them may make keys.
    pub(crate) fn new() -> Workers {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let making = Arc::new(Semaphore::new((processors / 2).max(1)));
        Workers { making, using: Arc::new(Semaphore::new(processors)) }
    }

    /// Makes something slowly: a key.
    pub(crate) async fn make<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        run(&self.making, work).await
    }

    /// Does slow work with a key.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        run(&self.using, work).await
    }

    /// Fresh key material of any spec.
    pub(crate) async fn generate(
        &self,
        spec: KeySpec,
        random: &Arc<dyn Random>,
    ) -> Result<KeyMaterial, Fault> {
        let random = Arc::clone(random);
        let work =
            move || -> Result<KeyMaterial, CryptoError> { KeyMaterial::generate(spec, &*random) };
        let made = if spec.generates_slowly() { self.make(work).await? } else { work() };
        made.map_err(Fault::internal)
    }
}

async fn run<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let held = Arc::clone(permits).acquire_owned().await.map_err(Fault::internal)?;
    let done = tokio::task::spawn_blocking(move || {
        // Held until the work is done, also when the caller has gone.
        let _held = held;
        work()
    });
    done.await.map_err(Fault::internal)
}

impl Kms {
    /// Does `work` with the current material of a key, where it holds up nobody.
    pub(crate) async fn with_material<T: Send + 'static>(
        &self,
        key: &Arc<Key>,
        permit: Permit,
        work: impl FnOnce(Material<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if !key.spec().is_some_and(KeySpec::is_rsa) {
            return work(key.current(&permit)?);
        }
        let key = Arc::clone(key);
        self.workers.work(move || work(key.current(&permit)?)).await?
    }
}
