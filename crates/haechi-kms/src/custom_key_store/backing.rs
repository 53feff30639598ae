//! The backing key of a KMS key in a custom key store: made or looked at once, then the outer layer
//! of everything that the key encrypts (`docs/ciphertext.md`, suite 02).

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Job, Permit};
use haechi_crypto::ciphertext::outer_additional_data;
use haechi_crypto::token_keys::TokenKeys;
use haechi_crypto::{
    Blob, BlobKind, DoubledBlob, ExternalCiphertext, InvalidCiphertext, SecretVec,
};
use haechi_kms_model::Error;
use haechi_wire::{Fault, SecretBlob};

use super::external::request_metadata;
use super::forget::forget_job;
use super::{
    BackingKey, BackingKeyRecord, CustomKeyStore, CustomKeyStores, Kind, StoresDraft,
    backing_keys_path, invalid_state, is_connected, not_found, words,
};
use crate::material::invalid;
use crate::store::Key;
use crate::{Kms, request};

/// What a new key in a custom key store is to have behind it.
#[derive(Clone, Copy)]
pub(crate) struct WantedPlace<'a> {
    pub(crate) store_id: &'a str,
    /// `XksKeyId`.
    pub(crate) xks_key_id: Option<&'a str>,
}

/// A backing key that is there, and what must not change before the KMS key is stored.
pub(crate) struct Placed {
    pub(crate) backing: BackingKey,
    pub(crate) stores: StoresDraft,
    /// Removes the backing key again, unless it is called off when the KMS key is stored.
    pub(crate) forget: Option<Job>,
}

/// When a backing key is removed whose KMS key was never stored, as a crash came between.
const FORGET_AFTER_SECONDS: i64 = 3600;

impl Kms {
    /// Finds, or makes, the backing key of a KMS key that is about to be made.
    pub(crate) async fn place(
        &self,
        cx: &Cx,
        wanted: WantedPlace<'_>,
        (key_id, origin): (&str, &str),
    ) -> Result<Placed, Error> {
        let stores = self.stores_draft(cx).await?;
        let id = wanted.store_id;
        let store = stores.value.find(id).ok_or_else(|| not_found(id))?;
        if store.origin() != origin {
            let right = store.origin();
            let message = format!("Keys in the custom key store {id} have the origin {right}.");
            return Err(request::invalid(message));
        }
        if !is_connected(Some(store)) {
            return Err(match store.kind {
                Kind::External(_) => {
                    Error::CustomKeyStoreInvalidStateException(words::NOT_CONNECTED.to_owned())
                }
                Kind::CloudHsm(_) => invalid_state(store, "Connect it and try again."),
            });
        }
        let (backing_id, cluster_id, forget) = match &store.kind {
            Kind::External(_) => {
                let xks_key_id = wanted.xks_key_id.unwrap_or_default();
                self.check_external_key(cx, store, xks_key_id).await?;
                (xks_key_id.to_owned(), None, None)
            }
            Kind::CloudHsm(hsm) => {
                let later = cx.now().plus_seconds(FORGET_AFTER_SECONDS);
                let forget = forget_job(&store.id, key_id, later);
                let mut batch = Batch::new();
                batch.schedule(&forget);
                self.database.commit(batch).await?;
                let label = key_id.to_owned();
                let made = self.with_token(store, move |token| token.generate_key(&label)).await?;
                made.map_err(|error| words::creating_token(&error))?;
                (key_id.to_owned(), Some(hsm.cluster_id.clone()), Some(forget))
            }
        };
        let (store_id, unknown) = (id.to_owned(), Unknown::new());
        let backing = BackingKey { store_id, id: backing_id, cluster_id, unknown };
        Ok(Placed { backing, stores, forget })
    }

    /// Refuses an external key that is not there, is taken, or is not one for KMS keys.
    async fn check_external_key(
        &self,
        cx: &Cx,
        store: &CustomKeyStore,
        xks_key_id: &str,
    ) -> Result<(), Error> {
        let Kind::External(external) = &store.kind else { return Ok(()) };
        let (account, region) = (cx.account().as_str(), cx.region.as_str());
        let taken = backing_keys_path(account, region, &store.id).part(xks_key_id);
        if self.database.load::<BackingKeyRecord>(&taken).await?.is_some() {
            return Err(Error::XksKeyAlreadyInUseException(format!(
                "The external key {xks_key_id} is already associated with another KMS key in this \
                 external key store."
            )));
        }
        let (proxy, metadata) = (self.proxy(cx, external), request_metadata(cx, None));
        let now_seconds = self.wall_seconds();
        let client = &self.surroundings().client;
        let found = client.key_metadata(&proxy, xks_key_id, &metadata, now_seconds).await;
        let found = found.map_err(|failure| words::creating(&failure))?;
        let invalid = Error::XksKeyInvalidConfigurationException;
        if found.key_spec != "AES_256" {
            let spec = shown(&found.key_spec);
            return Err(invalid(format!(
                "The key spec of the external key must be AES_256. The key spec of specified external key is {spec}."
            )));
        }
        if found.key_status != "ENABLED" {
            let status = shown(&found.key_status);
            return Err(invalid(format!(
                "The status of the external key must be ENABLED. The status of specified external key is {status}."
            )));
        }
        let serves = |usage: &str| found.key_usage.iter().any(|has| has == usage);
        if !serves("ENCRYPT") || !serves("DECRYPT") {
            let usages = shown(&found.key_usage.join(", "));
            return Err(invalid(format!(
                "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is {usages}."
            )));
        }
        Ok(())
    }

    /// Encrypts under a symmetric key; in a custom key store twice. Answers the blob and the
    /// material's id.
    pub(crate) async fn encrypt_symmetric(
        &self,
        cx: &Cx,
        key: &Arc<Key>,
        permit: &Permit,
        kind: BlobKind,
        (context, plaintext): (&BTreeMap<String, String>, &[u8]),
    ) -> Result<(Vec<u8>, String), Error> {
        let (inner, material_id) = key.encrypt(permit, &cx.env, kind, context, plaintext)?;
        if key.record.custom_key_store.is_none() {
            return Ok((inner, material_id));
        }
        let handle = Blob::parse(&inner).map_err(Fault::internal)?.handle();
        let additional_data = outer_additional_data(kind, &handle, context);
        // In a box, so that keys of KMS itself do not carry its room.
        let outer = Box::pin(self.encrypt_outer(cx, key, additional_data, inner)).await?;
        let blob = DoubledBlob::new(kind, handle, outer);
        let blob = blob.ok_or_else(|| Fault::internal("a backing key's answer fits no blob"))?;
        Ok((blob.to_bytes(), material_id))
    }

    /// Opens a blob of suite 02 with the key that made it.
    pub(crate) async fn decrypt_doubled(
        &self,
        cx: &Cx,
        key: &Arc<Key>,
        permit: &Permit,
        blob: &DoubledBlob,
        context: &BTreeMap<String, String>,
    ) -> Result<(SecretVec, String), Error> {
        let additional_data = outer_additional_data(blob.kind(), &blob.handle(), context);
        let inner = self.decrypt_outer(cx, key, additional_data, &blob.outer).await?;
        // The backing key authenticated it: what does not open now is its doing.
        let wrong = |_: InvalidCiphertext| match key.record.origin.as_str() {
            super::EXTERNAL_KEY_STORE => {
                Error::KMSInvalidStateException(words::INNER_CIPHERTEXT.to_owned())
            }
            _ => invalid(InvalidCiphertext),
        };
        let parsed = Blob::parse(inner.expose()).map_err(wrong)?;
        if parsed.handle() != blob.handle() || parsed.kind() != blob.kind() {
            return Err(wrong(InvalidCiphertext));
        }
        key.decrypt(permit, &parsed, context).map_err(|error| match error {
            Error::InvalidCiphertextException(_) => wrong(InvalidCiphertext),
            other => other,
        })
    }

    /// Random bytes of the token of a store.
    pub(crate) async fn token_random(
        &self,
        cx: &Cx,
        store_id: &str,
        bytes: usize,
    ) -> Result<SecretBlob, Error> {
        let stores = self.stores(cx.account().as_str(), cx.region.as_str()).await?;
        let store = stores.find(store_id).ok_or_else(|| not_found(store_id))?;
        if let Kind::External(_) = store.kind {
            let message = "Random bytes cannot be generated in an external key store.";
            return Err(Error::UnsupportedOperationException(message.to_owned()));
        }
        if !is_connected(Some(store)) {
            return Err(invalid_state(store, "Connect it and try again."));
        }
        let draw = move |token: &TokenKeys| {
            let mut drawn = SecretVec::zero(bytes);
            token.fill_random(drawn.expose_mut()).map(|()| drawn)
        };
        let drawn = self.with_token(store, draw).await?;
        Ok(SecretBlob(drawn.map_err(|error| words::using_token(&error))?.into_inner()))
    }

    async fn store_of(&self, key: &Key) -> Result<(Arc<CustomKeyStores>, BackingKey), Fault> {
        let record = &key.record;
        let Some(backing) = record.custom_key_store.clone() else {
            return Err(Fault::internal(format!("{} is in no custom key store", record.arn)));
        };
        Ok((self.stores(&record.account, &record.region).await?, backing))
    }

    async fn encrypt_outer(
        &self,
        cx: &Cx,
        key: &Arc<Key>,
        additional_data: [u8; 32],
        inner: Vec<u8>,
    ) -> Result<ExternalCiphertext, Error> {
        let (stores, backing) = self.store_of(key).await?;
        let store = stores.find(&backing.store_id).ok_or_else(|| not_found(&backing.store_id))?;
        match &store.kind {
            Kind::External(external) => {
                let proxy = self.proxy(cx, external);
                let metadata = request_metadata(cx, Some(&key.record));
                let (text, now) = ((&additional_data[..], &inner[..]), self.wall_seconds());
                let client = &self.surroundings().client;
                let sealed = client.encrypt(&proxy, &backing.id, &metadata, text, now).await;
                sealed.map_err(|failure| failed(&store.id, &failure))
            }
            Kind::CloudHsm(_) => {
                let random = Arc::clone(&self.env.random);
                let encrypt = move |token: &TokenKeys| {
                    token.encrypt(&backing.id, &additional_data, &inner, &*random)
                };
                let sealed = self.with_token(store, encrypt).await?;
                sealed.map_err(|error| words::using_token(&error))
            }
        }
    }

    async fn decrypt_outer(
        &self,
        cx: &Cx,
        key: &Arc<Key>,
        additional_data: [u8; 32],
        sealed: &ExternalCiphertext,
    ) -> Result<SecretVec, Error> {
        let (stores, backing) = self.store_of(key).await?;
        let store = stores.find(&backing.store_id).ok_or_else(|| not_found(&backing.store_id))?;
        match &store.kind {
            Kind::External(external) => {
                let proxy = self.proxy(cx, external);
                let metadata = request_metadata(cx, Some(&key.record));
                let (text, now) = ((&additional_data[..], sealed), self.wall_seconds());
                let client = &self.surroundings().client;
                let opened = client.decrypt(&proxy, &backing.id, &metadata, text, now).await;
                opened.map_err(|failure| failed(&store.id, &failure))
            }
            Kind::CloudHsm(_) => {
                let sealed = sealed.clone();
                let decrypt =
                    move |token: &TokenKeys| token.decrypt(&backing.id, &additional_data, &sealed);
                let opened = self.with_token(store, decrypt).await?;
                opened.map_err(|error| words::using_token(&error))
            }
        }
    }
}

/// What a proxy says of itself, as far as a caller of KMS may see it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "_-, ".contains(*c)).take(64).collect()
}

fn failed(store_id: &str, failure: &haechi_xks::Failure) -> Error {
    tracing::warn!(store = store_id, %failure, "an external key store proxy failed");
    words::using(failure)
}
