//! Deletes an OpenID Connect provider. Its tokens count no more from the next call on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteOpenIDConnectProvider;
use haechi_iam_model::shapes::DeleteOpenIDConnectProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::store::OidcProviderRecord;

impl Handle<DeleteOpenIDConnectProvider> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteOpenIDConnectProviderRequest,
    ) -> Result<Unit, Error> {
        let arn = &input.open_id_connect_provider_arn;
        // One that is not there is an error, whatever AWS's reference says (LocalStack's
        // `test_delete_open_id_connect_provider`).
        let found = self.by_arn::<OidcProviderRecord>(cx, arn, Conditions::default()).await;
        let found = found.map_err(|error| match error {
            Error::NoSuchEntityException(_) => {
                let message = format!("OpenId connect Provider {arn} cannot be found.");
                Error::NoSuchEntityException(message)
            }
            other => other,
        })?;
        let mut batch = Batch::new();
        batch.remove(&found);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
