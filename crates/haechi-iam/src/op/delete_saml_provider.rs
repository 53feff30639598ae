//! Deletes a SAML provider. Its assertions count no more from the next call on.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteSAMLProvider;
use haechi_iam_model::shapes::DeleteSAMLProviderRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::store::SamlProviderRecord;

impl Handle<DeleteSAMLProvider> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteSAMLProviderRequest) -> Result<Unit, Error> {
        let arn = &input.saml_provider_arn;
        let found = self.by_arn::<SamlProviderRecord>(cx, arn, Conditions::default()).await?;
        let mut batch = Batch::new();
        batch.remove(&found);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
