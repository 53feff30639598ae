//! `DisconnectCustomKeyStore`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DisconnectCustomKeyStore;
use haechi_kms_model::shapes::{DisconnectCustomKeyStoreRequest, DisconnectCustomKeyStoreResponse};

use crate::custom_key_store::{Connection, invalid_state};
use crate::{Kms, authz};

impl Handle<DisconnectCustomKeyStore> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: DisconnectCustomKeyStoreRequest,
    ) -> Result<DisconnectCustomKeyStoreResponse, Error> {
        authz::authorize_any(cx)?;
        let mut stores = self.stores_draft(cx).await?;
        let store = stores.store(&input.custom_key_store_id)?;
        if store.connection == Connection::Disconnected {
            return Err(invalid_state(store, "It is disconnected already."));
        }
        store.connection = Connection::Disconnected;
        let mut batch = Batch::new();
        stores.save(&mut batch);
        self.database.commit(batch).await?;
        self.surroundings().log_out(&input.custom_key_store_id);
        Ok(DisconnectCustomKeyStoreResponse::default())
    }
}
