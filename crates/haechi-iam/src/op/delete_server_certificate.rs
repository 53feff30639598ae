//! Deletes a server certificate with its private key.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteServerCertificate;
use haechi_iam_model::shapes::DeleteServerCertificateRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;

impl Handle<DeleteServerCertificate> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteServerCertificateRequest) -> Result<Unit, Error> {
        let name = &input.server_certificate_name;
        let found = self.server_certificate(cx, name, Conditions::default()).await?;
        let mut batch = Batch::new();
        batch.remove(&found);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
