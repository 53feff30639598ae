//! Custom key stores: KMS keys whose backing key lies elsewhere, in a hardware token (type
//! `AWS_CLOUDHSM`) or behind an external key store proxy (type `EXTERNAL_KEY_STORE`).
//!
//! ```text
//! /kms/<account>/<region>/custom-key-stores                     CustomKeyStores: all of them
//! /kms/<account>/<region>/custom-key-store-key/<store>/<backing key>   BackingKeyRecord
//! ```
//! All stores of an account and Region are one row: there are ten at most, and their names, clusters
//! and addresses must differ. The rows of backing keys say whether a store has keys, and that no
//! external key serves two KMS keys.
//!
//! ```text
//! custom_key_store/surroundings.rs  what the operator has configured: networks, tokens
//! custom_key_store/external.rs      asking a proxy
//! custom_key_store/cluster.rs       asking a token
//! custom_key_store/backing.rs       a key's backing key: made, encrypting, decrypting
//! custom_key_store/forget.rs        removing keys from tokens
//! custom_key_store/words.rs         failures, as each operation tells them (pure)
//! custom_key_store/check.rs         what a store may be made of (pure)
//! ```
//! A store is `CONNECTED` because it was connected; nothing watches it. Each use finds out anew
//! whether proxy or token are there, and says so if not.
//!
//! Source: Developer Guide, "Custom key stores", "External key stores"; API Reference.

pub(crate) mod backing;
pub(crate) mod check;
mod cluster;
mod external;
pub(crate) mod forget;
mod surroundings;
pub(crate) mod words;

use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Loaded, Path, Record};
use haechi_kms_model::Error;
use haechi_kms_model::shapes::{
    ConnectionErrorCodeType, ConnectionStateType, CustomKeyStoreType, CustomKeyStoresListEntry,
    KeyMetadata, KeyState, XksKeyConfigurationType, XksProxyConfigurationType,
    XksProxyConnectivityType,
};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key::{State, Use};
use crate::store::{Key, KeyRecord, root};
use crate::{Kms, quotas};

pub use surroundings::{CloudHsmCluster, KeyStoreSurroundings};

/// `Origin` of keys behind a proxy.
pub(crate) const EXTERNAL_KEY_STORE: &str = "EXTERNAL_KEY_STORE";
/// `Origin` of keys in a token.
pub(crate) const AWS_CLOUDHSM: &str = "AWS_CLOUDHSM";

/// All custom key stores of an account in a Region, the oldest first.
#[derive(Default, Clone, Serialize, Deserialize)]
pub(crate) struct CustomKeyStores {
    pub(crate) stores: Vec<CustomKeyStore>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for CustomKeyStores {}

/// One custom key store.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CustomKeyStore {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) connection: Connection,
    pub(crate) kind: Kind,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// Whether it may be used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Connection {
    Connected,
    Disconnected,
    /// With the `ConnectionErrorCode`.
    Failed(String),
}

/// Where its keys lie.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Kind {
    CloudHsm(CloudHsm),
    External(External),
}

/// A key store in a token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CloudHsm {
    pub(crate) cluster_id: String,
    pub(crate) trust_anchor_certificate: String,
    /// The PIN of the token's user.
    pub(crate) key_store_password: Zeroizing<String>,
}

/// A key store behind a proxy.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct External {
    /// `PUBLIC_ENDPOINT` or `VPC_ENDPOINT_SERVICE`.
    pub(crate) connectivity: String,
    /// `https://…`
    pub(crate) uri_endpoint: String,
    pub(crate) uri_path: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Zeroizing<String>,
    pub(crate) vpc_endpoint_service_name: Option<String>,
    pub(crate) vpc_endpoint_service_owner: Option<String>,
}

/// A KMS key's place in a custom key store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BackingKey {
    pub(crate) store_id: String,
    /// `XksKeyId`, or the label of the key in the token.
    pub(crate) id: String,
    /// Of a token.
    pub(crate) cluster_id: Option<String>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// That a backing key is in use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BackingKeyRecord {
    pub(crate) key_id: String,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for BackingKeyRecord {}

fn stores_path(account: &str, region: &str) -> Path {
    root(account, region, "custom-key-stores")
}

/// All backing keys of a store.
pub(crate) fn backing_keys_path(account: &str, region: &str, store_id: &str) -> Path {
    root(account, region, "custom-key-store-key").part(store_id)
}

impl KeyRecord {
    /// The row of its backing key.
    pub(crate) fn backing_key_path(&self) -> Option<Path> {
        let backing = self.custom_key_store.as_ref()?;
        Some(backing_keys_path(&self.account, &self.region, &backing.store_id).part(&backing.id))
    }
}

/// The one answer to a store that is not there.
pub(crate) fn not_found(id: &str) -> Error {
    Error::CustomKeyStoreNotFoundException(format!("Custom key store '{id}' does not exist."))
}

/// What a state answers that does not serve.
pub(crate) fn invalid_state(store: &CustomKeyStore, needed: &str) -> Error {
    let (id, state) = (&store.id, store.connection.shape().as_str());
    Error::CustomKeyStoreInvalidStateException(format!(
        "Custom key store {id} is in the connection state {state}. {needed}"
    ))
}

impl Connection {
    /// As AWS names it.
    pub(crate) fn shape(&self) -> ConnectionStateType {
        match self {
            Connection::Connected => ConnectionStateType::Connected,
            Connection::Disconnected => ConnectionStateType::Disconnected,
            Connection::Failed(_) => ConnectionStateType::Failed,
        }
    }
}

impl CustomKeyStores {
    pub(crate) fn find(&self, id: &str) -> Option<&CustomKeyStore> {
        self.stores.iter().find(|store| store.id == id)
    }
}

impl CustomKeyStore {
    /// What `DescribeCustomKeyStores` tells of it: no secret.
    pub(crate) fn entry(&self) -> CustomKeyStoresListEntry {
        let entry = CustomKeyStoresListEntry {
            custom_key_store_id: Some(self.id.clone()),
            custom_key_store_name: Some(self.name.clone()),
            connection_state: Some(self.connection.shape()),
            connection_error_code: match &self.connection {
                Connection::Failed(code) => ConnectionErrorCodeType::parse(code),
                _ => None,
            },
            creation_date: Some(Timestamp::from_millis(self.created_ms)),
            ..CustomKeyStoresListEntry::default()
        };
        match &self.kind {
            Kind::CloudHsm(hsm) => CustomKeyStoresListEntry {
                custom_key_store_type: Some(CustomKeyStoreType::AwsCloudhsm),
                cloud_hsm_cluster_id: Some(hsm.cluster_id.clone()),
                trust_anchor_certificate: Some(hsm.trust_anchor_certificate.clone()),
                ..entry
            },
            Kind::External(external) => CustomKeyStoresListEntry {
                custom_key_store_type: Some(CustomKeyStoreType::ExternalKeyStore),
                xks_proxy_configuration: Some(XksProxyConfigurationType {
                    connectivity: XksProxyConnectivityType::parse(&external.connectivity),
                    access_key_id: Some(haechi_wire::SecretString(external.access_key_id.clone())),
                    uri_endpoint: Some(external.uri_endpoint.clone()),
                    uri_path: Some(external.uri_path.clone()),
                    vpc_endpoint_service_name: external.vpc_endpoint_service_name.clone(),
                    vpc_endpoint_service_owner: external.vpc_endpoint_service_owner.clone(),
                }),
                ..entry
            },
        }
    }

    /// The origin of its keys.
    pub(crate) fn origin(&self) -> &'static str {
        match self.kind {
            Kind::CloudHsm(_) => AWS_CLOUDHSM,
            Kind::External(_) => EXTERNAL_KEY_STORE,
        }
    }
}

/// The stores of the caller's account and Region, to be changed.
pub(crate) struct StoresDraft {
    path: Path,
    loaded: Option<Loaded<CustomKeyStores>>,
    pub(crate) value: CustomKeyStores,
}

impl StoresDraft {
    /// The store of this id.
    pub(crate) fn store(&mut self, id: &str) -> Result<&mut CustomKeyStore, Error> {
        self.value.stores.iter_mut().find(|store| store.id == id).ok_or_else(|| not_found(id))
    }

    /// Adds the change to a batch.
    pub(crate) fn save(&self, batch: &mut Batch) {
        match &self.loaded {
            Some(loaded) => batch.replace(loaded, &self.value),
            None => batch.create(self.path.clone(), &self.value),
        }
    }

    /// Demands that nothing changes meanwhile.
    pub(crate) fn hold(&self, batch: &mut Batch) {
        if let Some(loaded) = &self.loaded {
            batch.unchanged(loaded);
        }
    }
}

impl Kms {
    /// The caller's stores, to be changed.
    pub(crate) async fn stores_draft(&self, cx: &Cx) -> Result<StoresDraft, Fault> {
        let path = stores_path(cx.account().as_str(), cx.region.as_str());
        let loaded = self.database.load::<CustomKeyStores>(&path).await?;
        let value = loaded.as_ref().map(|row| row.value.clone()).unwrap_or_default();
        Ok(StoresDraft { path, loaded, value })
    }

    /// The stores of an account in a Region, as they are.
    pub(crate) async fn stores(
        &self,
        account: &str,
        region: &str,
    ) -> Result<Arc<CustomKeyStores>, Fault> {
        let path = stores_path(account, region);
        let found = self.database.cached(&path, |row: CustomKeyStores| Ok(row)).await?;
        Ok(found.unwrap_or_default())
    }

    /// What AWS tells of a key. The state of one in a custom key store hangs on the store too.
    pub(crate) async fn describe(&self, key: &KeyRecord) -> Result<KeyMetadata, Fault> {
        let metadata = key.metadata();
        let Some(backing) = &key.custom_key_store else { return Ok(metadata) };
        let stores = self.stores(&key.account, &key.region).await?;
        let connected = is_connected(stores.find(&backing.store_id));
        let usable = matches!(key.state, State::Enabled | State::Disabled);
        let metadata = if connected || !usable {
            metadata
        } else {
            let key_state = Some(KeyState::Unavailable);
            KeyMetadata { key_state, enabled: Some(false), ..metadata }
        };
        let external = key.origin == EXTERNAL_KEY_STORE;
        Ok(KeyMetadata {
            custom_key_store_id: Some(backing.store_id.clone()),
            cloud_hsm_cluster_id: backing.cluster_id.clone(),
            xks_key_configuration: external
                .then(|| XksKeyConfigurationType { id: Some(backing.id.clone()) }),
            current_key_material_id: None,
            ..metadata
        })
    }

    /// Whether a key can be used now: its own state, then its store's.
    pub(crate) async fn admit_use(&self, cx: &Cx, key: &Key) -> Result<(), Error> {
        key.admit(Use::Material)?;
        quotas::count(cx, key)?;
        let Some(backing) = &key.record.custom_key_store else { return Ok(()) };
        let record = &key.record;
        let stores = self.stores(&record.account, &record.region).await?;
        if is_connected(stores.find(&backing.store_id)) {
            return Ok(());
        }
        Err(Error::KMSInvalidStateException(if record.origin == EXTERNAL_KEY_STORE {
            words::NOT_CONNECTED.to_owned()
        } else {
            format!("{} is unavailable.", key.arn())
        }))
    }
}

/// Whether a store may be used. One that is gone has no keys.
pub(crate) fn is_connected(store: Option<&CustomKeyStore>) -> bool {
    store.is_some_and(|store| store.connection == Connection::Connected)
}
