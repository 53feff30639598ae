//! `CreateCustomKeyStore`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_crypto::token_keys::TokenKeys;
use haechi_kms_model::Error;
use haechi_kms_model::ops::CreateCustomKeyStore;
use haechi_kms_model::shapes::{
    CreateCustomKeyStoreRequest, CreateCustomKeyStoreResponse, CustomKeyStoreType,
};
use haechi_wire::Fault;
use zeroize::Zeroizing;

use crate::custom_key_store::{
    AWS_CLOUDHSM, CloudHsm, Connection, CustomKeyStore, CustomKeyStores, EXTERNAL_KEY_STORE,
    External, Kind, check, words,
};
use crate::{Kms, authz};

/// Hexadecimal digits of an id, after `cks-`.
const ID_DIGITS: usize = 17;

impl Handle<CreateCustomKeyStore> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateCustomKeyStoreRequest,
    ) -> Result<CreateCustomKeyStoreResponse, Error> {
        authz::authorize_any(cx)?;
        let name = input.custom_key_store_name.clone();
        let mut stores = self.stores_draft(cx).await?;
        if stores.value.stores.len() >= check::STORES_MAX {
            let most = check::STORES_MAX;
            return Err(Error::LimitExceededException(format!(
                "An account can have {most} custom key stores in a Region."
            )));
        }
        check::name(&stores.value, "", &name)?;
        let kind = match input.custom_key_store_type.unwrap_or(CustomKeyStoreType::AwsCloudhsm) {
            CustomKeyStoreType::AwsCloudhsm => {
                Kind::CloudHsm(self.new_cloud_hsm(&stores.value, input).await?)
            }
            CustomKeyStoreType::ExternalKeyStore => {
                Kind::External(self.new_external(cx, &stores.value, input).await?)
            }
        };
        let digits = self.env.characters(b"0123456789abcdef", ID_DIGITS);
        let id = format!("cks-{}", digits.map_err(Fault::internal)?);
        stores.value.stores.push(CustomKeyStore {
            id: id.clone(),
            name,
            created_ms: cx.now().millis(),
            connection: Connection::Disconnected,
            kind,
            unknown: Unknown::new(),
        });
        let mut batch = Batch::new();
        stores.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(CreateCustomKeyStoreResponse { custom_key_store_id: Some(id) })
    }
}

impl Kms {
    async fn new_cloud_hsm(
        &self,
        stores: &CustomKeyStores,
        input: CreateCustomKeyStoreRequest,
    ) -> Result<CloudHsm, Error> {
        let absent =
            |parameter, there: bool| check::absent(there.then_some(&()), parameter, AWS_CLOUDHSM);
        absent("XksProxyUriEndpoint", input.xks_proxy_uri_endpoint.is_some())?;
        absent("XksProxyUriPath", input.xks_proxy_uri_path.is_some())?;
        absent("XksProxyConnectivity", input.xks_proxy_connectivity.is_some())?;
        let credential = input.xks_proxy_authentication_credential.is_some();
        absent("XksProxyAuthenticationCredential", credential)?;
        let service = input.xks_proxy_vpc_endpoint_service_name.is_some();
        absent("XksProxyVpcEndpointServiceName", service)?;
        let cluster_id =
            check::required(input.cloud_hsm_cluster_id, "CloudHsmClusterId", AWS_CLOUDHSM)?;
        let password = check::required(input.key_store_password, "KeyStorePassword", AWS_CLOUDHSM)?;
        let trust_anchor_certificate = check::required(
            input.trust_anchor_certificate,
            "TrustAnchorCertificate",
            AWS_CLOUDHSM,
        )?;
        if check::cluster_in_use(stores, "", &cluster_id) {
            return Err(Error::CloudHsmClusterInUseException(format!(
                "The CloudHSM cluster {cluster_id} is already associated with a custom key store."
            )));
        }
        self.check_cluster(&cluster_id).await?;
        let cluster = self.surroundings().clusters.get(&cluster_id);
        let own = cluster.and_then(|cluster| cluster.trust_anchor_certificate.as_deref());
        check::trust_anchor(&trust_anchor_certificate, own)?;
        let key_store_password = Zeroizing::new(password.0.clone());
        Ok(CloudHsm { cluster_id, trust_anchor_certificate, key_store_password })
    }

    /// Refuses a cluster that the operator has not configured, or whose token is not there.
    pub(super) async fn check_cluster(&self, cluster_id: &str) -> Result<(), Error> {
        let Some(cluster) = self.surroundings().clusters.get(cluster_id).cloned() else {
            return Err(Error::CloudHsmClusterNotFoundException(format!(
                "Cannot find the CloudHSM cluster {cluster_id}."
            )));
        };
        let present = move || TokenKeys::is_present(&cluster.module, &cluster.token);
        if let Err(error) = self.workers.work(present).await? {
            tracing::warn!(cluster_id, %error, "a token is not there");
            return Err(Error::CloudHsmClusterNotActiveException(format!(
                "The CloudHSM cluster {cluster_id} is not active."
            )));
        }
        Ok(())
    }

    async fn new_external(
        &self,
        cx: &Cx,
        stores: &CustomKeyStores,
        input: CreateCustomKeyStoreRequest,
    ) -> Result<External, Error> {
        let kind = EXTERNAL_KEY_STORE;
        check::absent(input.cloud_hsm_cluster_id.as_ref(), "CloudHsmClusterId", kind)?;
        check::absent(input.key_store_password.as_ref(), "KeyStorePassword", kind)?;
        check::absent(input.trust_anchor_certificate.as_ref(), "TrustAnchorCertificate", kind)?;
        let connectivity =
            check::required(input.xks_proxy_connectivity, "XksProxyConnectivity", kind)?;
        let credential = check::required(
            input.xks_proxy_authentication_credential,
            "XksProxyAuthenticationCredential",
            kind,
        )?;
        let uri_endpoint =
            check::required(input.xks_proxy_uri_endpoint, "XksProxyUriEndpoint", kind)?;
        let uri_path = check::required(input.xks_proxy_uri_path, "XksProxyUriPath", kind)?;
        let external = External {
            connectivity: connectivity.as_str().to_owned(),
            uri_endpoint,
            uri_path,
            access_key_id: credential.access_key_id.0.clone(),
            secret_access_key: Zeroizing::new(credential.raw_secret_access_key.0.clone()),
            vpc_endpoint_service_name: input.xks_proxy_vpc_endpoint_service_name,
            vpc_endpoint_service_owner: input.xks_proxy_vpc_endpoint_service_owner,
        };
        let external = owned(cx, external);
        self.check_external(cx, stores, "", &external).await?;
        Ok(external)
    }

    /// Refuses the settings of an external key store that cannot work.
    pub(super) async fn check_external(
        &self,
        cx: &Cx,
        stores: &CustomKeyStores,
        own_id: &str,
        external: &External,
    ) -> Result<(), Error> {
        check::uri_path(&external.uri_path)?;
        check::proxy(stores, own_id, external)?;
        let service = external.vpc_endpoint_service_name.clone();
        if external.connectivity != check::VPC_ENDPOINT_SERVICE {
            check::absent(
                service.as_ref(),
                "XksProxyVpcEndpointServiceName",
                "EXTERNAL_KEY_STORE with PUBLIC_ENDPOINT connectivity",
            )?;
            let there = self.check_proxy(cx, external).await;
            return there.map_err(|failure| words::managing(&failure));
        }
        let service = check::required(
            service,
            "XksProxyVpcEndpointServiceName",
            "EXTERNAL_KEY_STORE with VPC_ENDPOINT_SERVICE connectivity",
        )?;
        // Such a proxy is asked when the store is connected.
        if self.surroundings().vpc_endpoint_services.contains_key(&service) {
            return Ok(());
        }
        let message = format!("The VPC endpoint service {service} was not found.");
        Err(Error::XksProxyVpcEndpointServiceNotFoundException(message))
    }
}

/// The owner of a VPC endpoint service is the caller, unless said otherwise.
fn owned(cx: &Cx, external: External) -> External {
    if external.vpc_endpoint_service_name.is_none() {
        return External { vpc_endpoint_service_owner: None, ..external };
    }
    let owner = external.vpc_endpoint_service_owner.clone();
    let owner = owner.unwrap_or_else(|| cx.account().as_str().to_owned());
    External { vpc_endpoint_service_owner: Some(owner), ..external }
}
