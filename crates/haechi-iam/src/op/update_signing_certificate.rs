//! Activates or deactivates a signing certificate.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateSigningCertificate;
use haechi_iam_model::shapes::UpdateSigningCertificateRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::public_keys::{is_active, no_certificate};

impl Handle<UpdateSigningCertificate> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateSigningCertificateRequest) -> Result<Unit, Error> {
        let mut keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let active = is_active(input.status)?;
        let id = &input.certificate_id;
        let found = keys.record.certificates.iter_mut().find(|one| one.id == *id);
        found.ok_or_else(|| no_certificate(id))?.active = active;
        self.keep_public_keys(keys).await
    }
}
