//! `ConnectCustomKeyStore`. AWS answers at once and connects in the minutes after; here it is done
//! with the answer. What goes wrong is the store's state, not an error.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ConnectCustomKeyStore;
use haechi_kms_model::shapes::{
    ConnectCustomKeyStoreRequest, ConnectCustomKeyStoreResponse, ConnectionErrorCodeType,
};

use crate::custom_key_store::{Connection, CustomKeyStore, Kind, invalid_state, words};
use crate::{Kms, authz};

impl Handle<ConnectCustomKeyStore> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ConnectCustomKeyStoreRequest,
    ) -> Result<ConnectCustomKeyStoreResponse, Error> {
        authz::authorize_any(cx)?;
        let mut stores = self.stores_draft(cx).await?;
        let store = stores.store(&input.custom_key_store_id)?;
        match store.connection {
            Connection::Connected => return Ok(ConnectCustomKeyStoreResponse::default()),
            Connection::Failed(_) => {
                return Err(invalid_state(store, "Disconnect it before you connect it again."));
            }
            Connection::Disconnected => {}
        }
        store.connection = match self.try_connect(cx, store).await? {
            None => Connection::Connected,
            Some(code) => Connection::Failed(code.as_str().to_owned()),
        };
        let mut batch = Batch::new();
        stores.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(ConnectCustomKeyStoreResponse::default())
    }
}

impl Kms {
    /// Answers what is in the way, if anything.
    async fn try_connect(
        &self,
        cx: &Cx,
        store: &CustomKeyStore,
    ) -> Result<Option<ConnectionErrorCodeType>, Error> {
        Ok(match &store.kind {
            Kind::External(external) => {
                let service = external.vpc_endpoint_service_name.as_ref();
                let known = &self.surroundings().vpc_endpoint_services;
                if service.is_some_and(|service| !known.contains_key(service)) {
                    return Ok(Some(ConnectionErrorCodeType::XksVpcEndpointServiceNotFound));
                }
                let asked = self.check_proxy(cx, external).await;
                asked.err().map(|failure| words::connecting(&failure))
            }
            Kind::CloudHsm(hsm) => match self.log_in(&store.id, hsm).await? {
                None => Some(ConnectionErrorCodeType::ClusterNotFound),
                Some(login) => login.err().map(|error| words::connecting_token(&error)),
            },
        })
    }
}
