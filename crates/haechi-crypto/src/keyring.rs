//! Domain keys: what every stored value is sealed under, and the names that the store may not show.
//!
//! One root key must not encrypt without end, and changing it must not mean rewriting the store.
//! So values are sealed under *domain keys* (AES-256, wrapped under the root key, one stored row
//! each). The newest seals; older ones only open. A new one is due daily.
//!
//! ```text
//! row    1 B version ‖ 1 B kind ‖ u32 id ‖ i64 created (ms) ‖ 12 B nonce ‖ 32 B key ‖ 16 B tag
//! value  1 B version ‖ u32 domain key id ‖ 12 B nonce ‖ ciphertext ‖ 16 B tag        (33 + n)
//! ```
//! Integers are big-endian. A row's AAD is its first 14 bytes; a value's is its first 5 followed by
//! what the caller gives: the storage key, so that a row moved under another key does not open.
//!
//! Limits: a domain key seals at most 2³² values per process (SP 800-38D §8.3 for random nonces)
//! and is due for rotation after 24 hours or 2²⁸ seals, whichever comes first. The margin of 16
//! is for nodes that share a keyring: up to 16 of them stay below the bound together.
//!
//! A rotation is durable before it is used: [`Keyring::rotate`] returns the next keyring *and* the
//! row; the caller stores the row first, on condition that its name is free (another node may
//! rotate at the same moment), and then replaces its keyring.

mod domain;
mod wrapped;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::hmac;

use crate::canonical::push_field;
use crate::{CryptoError, Random, RootKey, SecretBytes, SecretVec, derive};
use domain::DomainKey;
pub use domain::Purpose;
pub use wrapped::{WrappedKey, WrappedKeyKind};

/// Age at which a domain key is due for rotation, in milliseconds: 24 hours.
pub const ROTATE_AFTER_MS: i64 = 24 * 60 * 60 * 1000;
/// Values sealed by this process at which a domain key is due for rotation.
pub const ROTATE_AFTER_SEALS: u64 = 1 << 28;
/// Values that one process seals under one domain key before it refuses (SP 800-38D §8.3).
pub const SEALS_MAX: u64 = 1 << 32;
/// Bytes that [`Keyring::seal`] adds to a plaintext.
pub const SEALED_OVERHEAD_BYTES: usize = 5 + crate::aead::OVERHEAD_BYTES;

const VALUE_VERSION: u8 = 1;
const NAMING_LABEL: &str = "haechi/naming/v1";

/// Why the keyring could not be opened, or a value not sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A stored row is not a wrapped key.
    #[error("a wrapped key row has an unknown layout ({length} bytes); restore it from a backup")]
    MalformedRow {
        /// Length found, in bytes.
        length: usize,
    },
    /// A row does not open: the root key is another one, or the row was changed.
    #[error(
        "{name} does not open under this root key; use the root key that this store was made \
         with, or restore the row from a backup"
    )]
    RowRefused {
        /// Which row, as [`WrappedKey::storage_name`] gives it.
        name: String,
    },
    /// A row that must exist does not.
    #[error("the store has no {what} row; restore it from a backup")]
    MissingRow {
        /// `domain key` or `naming key`.
        what: &'static str,
    },
    /// Two rows claim the same place.
    #[error("the store has two rows for {name}; restore it from a backup")]
    DuplicateRow {
        /// Which row.
        name: String,
    },
    /// The newest domain key is older than the seal remembers: an old copy of the store.
    #[error(
        "the store's newest domain key is {newest}, but the seal has seen {expected}: the store \
         was rolled back; restore the newest backup together with its seal.json"
    )]
    RolledBack {
        /// Newest id in the store.
        newest: u32,
        /// Lowest id that the seal accepts as the newest.
        expected: u32,
    },
    /// No more ids: 2³² rotations.
    #[error("no domain key ids are left; export the store and import it under a new root key")]
    IdsExhausted,
    /// The current domain key reached [`SEALS_MAX`].
    #[error("domain key {id} has sealed its limit of values; rotate it")]
    SealsExhausted {
        /// The key's id.
        id: u32,
    },
    /// A value names a domain key that this keyring lacks.
    #[error("the value is sealed under domain key {id}, which is not loaded; reload the keyring")]
    UnknownDomainKey {
        /// The id that the value names.
        id: u32,
    },
    /// A value was changed, moved to another storage key, or sealed for another purpose.
    #[error("a sealed value is not authentic; restore it from a backup")]
    ValueRefused,
    /// The library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The unwrapped keys of a store. Cheap to clone in an `Arc`; replaced as a whole by rotation.
pub struct Keyring {
    domain_keys: BTreeMap<u32, Arc<DomainKey>>,
    current: Arc<DomainKey>,
    naming: Arc<NamingKey>,
}

/// The secret behind hidden names. Never rotated: names must stay findable.
struct NamingKey {
    secret: SecretBytes<32>,
    created_at_ms: i64,
    mac: hmac::Key,
}

impl Keyring {
    /// The keyring of a new store and the rows to store before anything else is.
    /// `now_ms` is milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When randomness or the library fails.
    pub fn create(
        root: &RootKey,
        now_ms: i64,
        random: &dyn Random,
    ) -> Result<(Self, Vec<WrappedKey>), KeyringError> {
        let first = Arc::new(DomainKey::new(1, now_ms, SecretBytes::random(random)?)?);
        let naming = Arc::new(NamingKey::new(now_ms, SecretBytes::random(random)?)?);
        let keyring =
            Self { domain_keys: BTreeMap::from([(1, Arc::clone(&first))]), current: first, naming };
        let rows = keyring.rewrap(root, random)?;
        Ok((keyring, rows))
    }

    /// Unwraps all rows of a store. `epoch` is the lowest id that the newest domain key may have
    /// ([`crate::SealConfig::epoch`]); 0 accepts any.
    ///
    /// # Errors
    /// When a row is malformed, missing, doubled or refused, or the store was rolled back.
    pub fn open(
        root: &RootKey,
        rows: impl IntoIterator<Item = impl AsRef<[u8]>>,
        epoch: u32,
    ) -> Result<Self, KeyringError> {
        let wrapping = root.keyring_aead()?;
        let mut domain_keys = BTreeMap::new();
        let mut naming = None;
        for row in rows {
            let row = WrappedKey::parse(row.as_ref())?;
            let key = row.unwrap_with(&wrapping)?;
            let doubled = match row.kind() {
                WrappedKeyKind::Domain => {
                    let key = Arc::new(DomainKey::new(row.id(), row.created_at_ms(), key)?);
                    domain_keys.insert(row.id(), key).is_some()
                }
                WrappedKeyKind::Naming => {
                    naming.replace(NamingKey::new(row.created_at_ms(), key)?).is_some()
                }
            };
            if doubled {
                return Err(KeyringError::DuplicateRow { name: row.storage_name() });
            }
        }
        let current = domain_keys.values().next_back().map(Arc::clone);
        let current = current.ok_or(KeyringError::MissingRow { what: "domain key" })?;
        let naming = naming.ok_or(KeyringError::MissingRow { what: "naming key" })?;
        if current.id() < epoch {
            return Err(KeyringError::RolledBack { newest: current.id(), expected: epoch });
        }
        Ok(Self { domain_keys, current, naming: Arc::new(naming) })
    }

    /// The keyring with a new current domain key, and that key's row. Store the row, *then* put the
    /// returned keyring in this one's place: no value may be sealed under a key that can be lost.
    ///
    /// # Errors
    /// When ids have run out, or randomness or the library fails.
    pub fn rotate(
        &self,
        root: &RootKey,
        now_ms: i64,
        random: &dyn Random,
    ) -> Result<(Self, WrappedKey), KeyringError> {
        let id = self.current.id().checked_add(1).ok_or(KeyringError::IdsExhausted)?;
        let next = Arc::new(DomainKey::new(id, now_ms, SecretBytes::random(random)?)?);
        let row = WrappedKey::wrap(
            &root.keyring_aead()?,
            WrappedKeyKind::Domain,
            id,
            now_ms,
            next.secret(),
            random,
        )?;
        let mut domain_keys = self.domain_keys.clone();
        domain_keys.insert(id, Arc::clone(&next));
        Ok((Self { domain_keys, current: next, naming: Arc::clone(&self.naming) }, row))
    }

    /// The keyring with the domain keys of `rows` that it lacks: other nodes have made them. `None`
    /// if it lacks none.
    ///
    /// # Errors
    /// When there is no row, or one is malformed or refused.
    pub fn extended(
        &self,
        root: &RootKey,
        rows: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Option<Self>, KeyringError> {
        let wrapping = root.keyring_aead()?;
        let mut domain_keys = self.domain_keys.clone();
        let mut is_empty = true;
        for row in rows {
            let row = WrappedKey::parse(row.as_ref())?;
            is_empty = false;
            if row.kind() == WrappedKeyKind::Domain && !domain_keys.contains_key(&row.id()) {
                let key = row.unwrap_with(&wrapping)?;
                let key = Arc::new(DomainKey::new(row.id(), row.created_at_ms(), key)?);
                domain_keys.insert(row.id(), key);
            }
        }
        if is_empty {
            return Err(KeyringError::MissingRow { what: "domain key" });
        }
        if domain_keys.len() == self.domain_keys.len() {
            return Ok(None);
        }
        let current = domain_keys.values().next_back().unwrap_or(&self.current);
        let (current, naming) = (Arc::clone(current), Arc::clone(&self.naming));
        Ok(Some(Self { domain_keys, current, naming }))
    }

    /// All rows, wrapped under `root`: how the root key is changed. No value is touched.
    ///
    /// # Errors
    /// When randomness or the library fails.
    pub fn rewrap(
        &self,
        root: &RootKey,
        random: &dyn Random,
    ) -> Result<Vec<WrappedKey>, KeyringError> {
        let wrapping = root.keyring_aead()?;
        let naming = &self.naming;
        let (kind, secret) = (WrappedKeyKind::Naming, &naming.secret);
        let naming = WrappedKey::wrap(&wrapping, kind, 0, naming.created_at_ms, secret, random)?;
        let mut rows = vec![naming];
        for key in self.domain_keys.values() {
            let (id, created_at_ms) = (key.id(), key.created_at_ms());
            let kind = WrappedKeyKind::Domain;
            rows.push(WrappedKey::wrap(&wrapping, kind, id, created_at_ms, key.secret(), random)?);
        }
        Ok(rows)
    }

    /// Id of the key that seals; the value for [`crate::SealConfig::advance_epoch`].
    #[must_use]
    pub fn current_id(&self) -> u32 {
        self.current.id()
    }

    /// Whether the current key is due for rotation, by age or by count.
    #[must_use]
    pub fn is_rotation_due(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.current.created_at_ms()) >= ROTATE_AFTER_MS
            || self.current.seals() >= ROTATE_AFTER_SEALS
    }

    /// Seals a stored value under the current domain key. `aad` is its storage key.
    ///
    /// # Errors
    /// When the key has reached [`SEALS_MAX`], or randomness or the library fails.
    pub fn seal(
        &self,
        aad: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, KeyringError> {
        self.seal_for(Purpose::Value, aad, plaintext, random)
    }

    /// Opens what [`Self::seal`] made, given the same `aad`.
    ///
    /// # Errors
    /// When the value names an unknown domain key or is not authentic.
    pub fn open_value(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretVec, KeyringError> {
        self.open_for(Purpose::Value, aad, sealed)
    }

    /// As [`Self::seal`], under the sub-key of another purpose.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_for(
        &self,
        purpose: Purpose,
        aad: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, KeyringError> {
        let mut sealed = Vec::with_capacity(SEALED_OVERHEAD_BYTES + plaintext.len());
        self.seal_into(purpose, aad, plaintext, random, &mut sealed)?;
        Ok(sealed)
    }

    /// As [`Self::seal_for`], appended to `out`.
    ///
    /// # Errors
    /// As [`Self::seal`]; what was appended by then is of no use.
    pub fn seal_into(
        &self,
        purpose: Purpose,
        aad: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
        out: &mut Vec<u8>,
    ) -> Result<(), KeyringError> {
        let key = &self.current;
        key.count_seal()?;
        out.push(VALUE_VERSION);
        out.extend_from_slice(&key.id().to_be_bytes());
        let aad = value_aad(key.id(), aad);
        Ok(key.aead(purpose).seal_into(out, &aad, plaintext, random)?)
    }

    /// As [`Self::open_value`], under the sub-key of another purpose.
    ///
    /// # Errors
    /// As [`Self::open_value`]; a value sealed for another purpose is not authentic.
    pub fn open_for(
        &self,
        purpose: Purpose,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<SecretVec, KeyringError> {
        let (header, body) = sealed.split_first_chunk::<5>().ok_or(KeyringError::ValueRefused)?;
        let [version, id @ ..] = *header;
        if version != VALUE_VERSION {
            return Err(KeyringError::ValueRefused);
        }
        let id = u32::from_be_bytes(id);
        let key = self.domain_keys.get(&id).ok_or(KeyringError::UnknownDomainKey { id })?;
        key.aead(purpose).open(&value_aad(id, aad), body).ok_or(KeyringError::ValueRefused)
    }

    /// A stable pseudonym for a name that a user chose, so that a storage key does not show it:
    /// HMAC-SHA-256 over (context, name), cut to 16 bytes. `context` separates kinds of names
    /// (`alias/<account>/<region>`). Rotation does not change it.
    #[must_use]
    pub fn hidden_name(&self, context: &str, name: &[u8]) -> [u8; 16] {
        let mut message = Vec::with_capacity(8 + context.len() + name.len());
        push_field(&mut message, context.as_bytes());
        push_field(&mut message, name);
        let tag = hmac::sign(&self.naming.mac, &message);
        let mut hidden = [0; 16];
        hidden.copy_from_slice(tag.as_ref().split_at(16).0);
        hidden
    }
}

impl NamingKey {
    fn new(created_at_ms: i64, secret: SecretBytes<32>) -> Result<Self, CryptoError> {
        let derived = derive::subkey(secret.expose(), NAMING_LABEL)?;
        let mac = hmac::Key::new(hmac::HMAC_SHA256, derived.expose());
        Ok(Self { secret, created_at_ms, mac })
    }
}

fn value_aad(domain_key_id: u32, aad: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(5 + aad.len());
    out.push(VALUE_VERSION);
    out.extend_from_slice(&domain_key_id.to_be_bytes());
    out.extend_from_slice(aad);
    out
}

#[cfg(test)]
mod tests;
