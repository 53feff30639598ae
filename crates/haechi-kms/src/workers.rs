//! Threads for work that would hold up the reactor: RSA, whose private operations take from half a
//! millisecond above 2048 bits, whose key pairs take as long to open, and seconds to make.
//!
//! Bounded, so that a caller who asks for many RSA keys at once cannot take every thread. Making
//! keys and using them wait in different queues: signatures do not stand behind new keys.

use std::sync::{Arc, Mutex, PoisonError};

use haechi_core::Permit;
use haechi_crypto::{KeyMaterial, KeySpec, PublicKey, Random};
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
    /// A pair of `RSA_2048` made ahead of its demand, while nobody waited. Given out once.
    reserve: Arc<Mutex<Option<KeyMaterial>>>,
}

impl Workers {
    /// As many as there are processors; half of them may make keys.
    pub(crate) fn new() -> Workers {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let making = Arc::new(Semaphore::new((processors / 2).max(1)));
        Workers { making, using: Arc::new(Semaphore::new(processors)), reserve: Arc::default() }
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
        let ahead = spec == KeySpec::Rsa2048;
        let ready = ahead.then(|| self.take_reserve()).flatten();
        let made = match ready {
            Some(made) => made,
            None => {
                let random = Arc::clone(random);
                let work = move || KeyMaterial::generate(spec, &*random);
                let made = if spec.generates_slowly() { self.make(work).await? } else { work() };
                made.map_err(Fault::internal)?
            }
        };
        if ahead {
            self.make_ahead(random);
        }
        Ok(made)
    }

    fn take_reserve(&self) -> Option<KeyMaterial> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Makes the next pair of `RSA_2048`, unless keys are being made for somebody who waits.
    fn make_ahead(&self, random: &Arc<dyn Random>) {
        let Ok(held) = Arc::clone(&self.making).try_acquire_owned() else { return };
        let (reserve, random) = (Arc::clone(&self.reserve), Arc::clone(random));
        tokio::task::spawn_blocking(move || {
            let _held = held;
            // Whoever needs one makes one, and learns what is wrong.
            if let Ok(made) = KeyMaterial::generate(KeySpec::Rsa2048, &*random) {
                *reserve.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
            }
        });
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
        let is_slow = |spec: KeySpec| spec.works_slowly() || (spec.is_rsa() && !key.is_open());
        if !key.spec().is_some_and(is_slow) {
            return work(key.current(&permit)?);
        }
        let key = Arc::clone(key);
        self.workers.work(move || work(key.current(&permit)?)).await?
    }

    /// Does `work` with the public half of a key pair. That is quick for RSA too, quicker than to
    /// wait for another thread; only to open the key for the first time is slow.
    pub(crate) async fn with_public_key<T: Send + 'static>(
        &self,
        key: &Arc<Key>,
        permit: Permit,
        work: impl FnOnce(&PublicKey) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if key.is_open() {
            return work(key.current(&permit)?.public_key()?);
        }
        self.with_material(key, permit, |material| work(material.public_key()?)).await
    }
}

#[cfg(test)]
mod tests;
