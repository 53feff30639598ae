//! Deletes a signing certificate.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::DeleteSigningCertificate;
use haechi_iam_model::shapes::DeleteSigningCertificateRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::public_keys::{no_certificate, take};

impl Handle<DeleteSigningCertificate> for Iam {
    async fn handle(&self, cx: &Cx, input: DeleteSigningCertificateRequest) -> Result<Unit, Error> {
        let mut keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let id = &input.certificate_id;
        take(&mut keys.record.certificates, id).ok_or_else(|| no_certificate(id))?;
        self.keep_public_keys(keys).await
    }
}
