//! `UpdateCustomKeyStore`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::UpdateCustomKeyStore;
use haechi_kms_model::shapes::{
    UpdateCustomKeyStoreRequest, UpdateCustomKeyStoreResponse, XksProxyConnectivityType,
};
use zeroize::Zeroizing;

use crate::custom_key_store::{
    AWS_CLOUDHSM, CloudHsm, Connection, CustomKeyStores, EXTERNAL_KEY_STORE, External, Kind, check,
    invalid_state,
};
use crate::{Kms, authz};

impl Handle<UpdateCustomKeyStore> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateCustomKeyStoreRequest,
    ) -> Result<UpdateCustomKeyStoreResponse, Error> {
        authz::authorize_any(cx)?;
        let id = input.custom_key_store_id.clone();
        let mut stores = self.stores_draft(cx).await?;
        let before = stores.value.clone();
        let store = stores.store(&id)?;
        check_kind(&store.kind, &input)?;
        let admitted = match store.connection {
            Connection::Disconnected => true,
            Connection::Connected => spares_connection(&input),
            Connection::Failed(_) => false,
        };
        if !admitted {
            return Err(invalid_state(store, "Disconnect it before you update it."));
        }
        if let Some(name) = &input.new_custom_key_store_name {
            check::name(&before, &id, name)?;
            store.name.clone_from(name);
        }
        match &mut store.kind {
            Kind::CloudHsm(hsm) => self.update_cloud_hsm(&before, &id, hsm, input).await?,
            Kind::External(external) => {
                if let Some(changed) = changed(cx, external, input) {
                    self.check_external(cx, &before, &id, &changed).await?;
                    *external = changed;
                }
            }
        }
        let mut batch = Batch::new();
        stores.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(UpdateCustomKeyStoreResponse::default())
    }
}

/// Refuses what the store's type does not have.
fn check_kind(kind: &Kind, input: &UpdateCustomKeyStoreRequest) -> Result<(), Error> {
    let absent =
        |parameter, there: bool, kind| check::absent(there.then_some(&()), parameter, kind);
    if let Kind::External(_) = kind {
        let kind = EXTERNAL_KEY_STORE;
        absent("CloudHsmClusterId", input.cloud_hsm_cluster_id.is_some(), kind)?;
        return absent("KeyStorePassword", input.key_store_password.is_some(), kind);
    }
    let kind = AWS_CLOUDHSM;
    absent("XksProxyUriEndpoint", input.xks_proxy_uri_endpoint.is_some(), kind)?;
    absent("XksProxyUriPath", input.xks_proxy_uri_path.is_some(), kind)?;
    absent("XksProxyConnectivity", input.xks_proxy_connectivity.is_some(), kind)?;
    let credential = input.xks_proxy_authentication_credential.is_some();
    absent("XksProxyAuthenticationCredential", credential, kind)?;
    let service = input.xks_proxy_vpc_endpoint_service_name.is_some();
    absent("XksProxyVpcEndpointServiceName", service, kind)
}

/// Whether a store may stay connected meanwhile.
fn spares_connection(input: &UpdateCustomKeyStoreRequest) -> bool {
    input.key_store_password.is_none()
        && input.cloud_hsm_cluster_id.is_none()
        && input.xks_proxy_uri_endpoint.is_none()
        && input.xks_proxy_connectivity.is_none()
        && input.xks_proxy_vpc_endpoint_service_name.is_none()
        && input.xks_proxy_vpc_endpoint_service_owner.is_none()
}

/// The new settings of a proxy; `None` if nothing about it is to change.
fn changed(cx: &Cx, before: &External, input: UpdateCustomKeyStoreRequest) -> Option<External> {
    let untouched = spares_connection(&input)
        && input.xks_proxy_uri_path.is_none()
        && input.xks_proxy_authentication_credential.is_none();
    if untouched {
        return None;
    }
    let mut after = before.clone();
    if let Some(uri_endpoint) = input.xks_proxy_uri_endpoint {
        after.uri_endpoint = uri_endpoint;
    }
    if let Some(uri_path) = input.xks_proxy_uri_path {
        after.uri_path = uri_path;
    }
    if let Some(credential) = input.xks_proxy_authentication_credential {
        after.access_key_id = credential.access_key_id.0.clone();
        after.secret_access_key = Zeroizing::new(credential.raw_secret_access_key.0.clone());
    }
    if let Some(connectivity) = input.xks_proxy_connectivity {
        connectivity.as_str().clone_into(&mut after.connectivity);
        if connectivity == XksProxyConnectivityType::PublicEndpoint {
            after.vpc_endpoint_service_name = None;
            after.vpc_endpoint_service_owner = None;
        }
    }
    if let Some(service) = input.xks_proxy_vpc_endpoint_service_name {
        after.vpc_endpoint_service_name = Some(service);
        let own = || cx.account().as_str().to_owned();
        after.vpc_endpoint_service_owner.get_or_insert_with(own);
    }
    if let Some(owner) = input.xks_proxy_vpc_endpoint_service_owner
        && after.vpc_endpoint_service_name.is_some()
    {
        after.vpc_endpoint_service_owner = Some(owner);
    }
    Some(after)
}

impl Kms {
    async fn update_cloud_hsm(
        &self,
        stores: &CustomKeyStores,
        own_id: &str,
        hsm: &mut CloudHsm,
        input: UpdateCustomKeyStoreRequest,
    ) -> Result<(), Error> {
        if let Some(password) = input.key_store_password {
            hsm.key_store_password = Zeroizing::new(password.0.clone());
        }
        let Some(cluster_id) = input.cloud_hsm_cluster_id else { return Ok(()) };
        self.check_cluster(&cluster_id).await?;
        let cluster = self.surroundings().clusters.get(&cluster_id);
        let own = cluster.and_then(|cluster| cluster.trust_anchor_certificate.as_deref());
        let related = check::trust_anchor(&hsm.trust_anchor_certificate, own).is_ok();
        if !related || check::cluster_in_use(stores, own_id, &cluster_id) {
            return Err(Error::CloudHsmClusterNotRelatedException(format!(
                "The CloudHSM cluster {cluster_id} does not share a cluster certificate with the \
                 cluster of the custom key store, or is another store's."
            )));
        }
        hsm.cluster_id = cluster_id;
        Ok(())
    }
}
