//! `DeleteCustomKeyStore`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DeleteCustomKeyStore;
use haechi_kms_model::shapes::{DeleteCustomKeyStoreRequest, DeleteCustomKeyStoreResponse};

use crate::custom_key_store::{BackingKeyRecord, Connection, backing_keys_path, invalid_state};
use crate::{Kms, authz};

impl Handle<DeleteCustomKeyStore> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteCustomKeyStoreRequest,
    ) -> Result<DeleteCustomKeyStoreResponse, Error> {
        authz::authorize_any(cx)?;
        let id = &input.custom_key_store_id;
        let mut stores = self.stores_draft(cx).await?;
        let store = stores.store(id)?;
        if store.connection != Connection::Disconnected {
            return Err(invalid_state(store, "Disconnect it before you delete it."));
        }
        let keys = backing_keys_path(cx.account().as_str(), cx.region.as_str(), id);
        let page = self.database.list::<BackingKeyRecord>(&keys, None, 1).await?;
        if !page.items.is_empty() {
            let message = format!("Custom key store {id} contains KMS keys.");
            return Err(Error::CustomKeyStoreHasCMKsException(message));
        }
        // A key that is made meanwhile holds the row that changes here.
        stores.value.stores.retain(|store| store.id != *id);
        let mut batch = Batch::new();
        stores.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(DeleteCustomKeyStoreResponse::default())
    }
}
