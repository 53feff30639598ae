//! One domain key: its sub-keys by purpose and its use count.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{KeyringError, SEALS_MAX};
use crate::aead::Aead;
use crate::{CryptoError, SecretBytes, derive};

/// What a sealed value is for. Each purpose has its own sub-key, so a value sealed for one never
/// opens as another, whatever its AAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// A row of the store.
    Value,
    /// A KMS key-material token ([`crate::material`]).
    KeyMaterial,
    /// Segments of the audit log.
    AuditLog,
    /// STS session tokens, sealed and handed to clients.
    SessionToken,
}

/// An unwrapped domain key.
pub(super) struct DomainKey {
    id: u32,
    created_at_ms: i64,
    secret: SecretBytes<32>,
    value: Aead,
    key_material: Aead,
    audit_log: Aead,
    session_token: Aead,
    seals: AtomicU64,
}

impl DomainKey {
    pub(super) fn new(
        id: u32,
        created_at_ms: i64,
        secret: SecretBytes<32>,
    ) -> Result<Self, CryptoError> {
        let aead = |label: &str| Aead::new(derive::subkey(secret.expose(), label)?.expose());
        Ok(Self {
            id,
            created_at_ms,
            value: aead("haechi/domain/v1/value")?,
            key_material: aead("haechi/domain/v1/key-material")?,
            audit_log: aead("haechi/domain/v1/audit-log")?,
            session_token: aead("haechi/domain/v1/session-token")?,
            secret,
            seals: AtomicU64::new(0),
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn created_at_ms(&self) -> i64 {
        self.created_at_ms
    }

    pub(super) fn secret(&self) -> &SecretBytes<32> {
        &self.secret
    }

    pub(super) fn aead(&self, purpose: Purpose) -> &Aead {
        match purpose {
            Purpose::Value => &self.value,
            Purpose::KeyMaterial => &self.key_material,
            Purpose::AuditLog => &self.audit_log,
            Purpose::SessionToken => &self.session_token,
        }
    }

    /// Values sealed by this process, over all purposes.
    pub(super) fn seals(&self) -> u64 {
        self.seals.load(Ordering::Relaxed)
    }

    /// Counts one more seal, or refuses it at the limit.
    pub(super) fn count_seal(&self) -> Result<(), KeyringError> {
        if self.seals.fetch_add(1, Ordering::Relaxed) >= SEALS_MAX {
            return Err(KeyringError::SealsExhausted { id: self.id });
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn pretend_seals(&self, count: u64) {
        self.seals.store(count, Ordering::Relaxed);
    }
}
