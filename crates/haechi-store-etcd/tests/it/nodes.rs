//! Opening stores as nodes do, on a cluster that a test does something to.

use std::{sync::Arc, time::Duration};

use haechi_conformance::etcd::Cluster;
use haechi_store::{Options, Store, StoreError};
use haechi_store_etcd::{EtcdStore, Identity, Settings, Tls};

/// Settings with times that suit a test. The node's `number` says which member it asks first.
pub fn settings(cluster: &Cluster, number: usize) -> Settings {
    let mut endpoints = cluster.endpoints();
    let first = number % endpoints.len();
    endpoints.rotate_left(first);
    let mut settings = Settings::new(endpoints, Options::new(|| Duration::from_secs(1)));
    settings.request_timeout = Duration::from_secs(30);
    settings.tls = cluster.certificates().map(|files| Tls {
        ca: std::fs::read(&files.ca).unwrap(),
        identity: Some(Identity {
            certificate: std::fs::read(&files.client).unwrap(),
            key: std::fs::read(&files.client_key).unwrap().into(),
        }),
        server_name: None,
    });
    settings
}

pub async fn open(settings: Settings) -> Result<Arc<EtcdStore>, StoreError> {
    EtcdStore::open(settings).await.map(Arc::new)
}

/// So many nodes with one store.
pub async fn nodes(cluster: &Cluster, count: usize, prefix: &str) -> Vec<Arc<dyn Store>> {
    let mut nodes: Vec<Arc<dyn Store>> = Vec::new();
    for number in 0..count {
        let mut settings = settings(cluster, number);
        prefix.clone_into(&mut settings.prefix);
        nodes.push(open(settings).await.unwrap());
    }
    nodes
}

/// Runs what blocks, such as starting servers, without stopping the clients.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
