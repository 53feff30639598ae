//! Keeps an X.509 certificate of a user, or of the caller itself.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UploadSigningCertificate;
use haechi_iam_model::shapes::{
    SigningCertificate, StatusType, UploadSigningCertificateRequest,
    UploadSigningCertificateResponse,
};

use crate::Iam;
use crate::certificate;
use crate::public_keys::CERTIFICATES_MAX;
use crate::store::{PublicKeysRecord, UploadRecord};

impl Handle<UploadSigningCertificate> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UploadSigningCertificateRequest,
    ) -> Result<UploadSigningCertificateResponse, Error> {
        let mut keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let body = &input.certificate_body;
        let der = certificate::der(body).map_err(|_| {
            let message = format!("Certificate {body} is malformed.");
            Error::MalformedCertificateException(message)
        })?;
        let is_same =
            |other: &UploadRecord| certificate::der(&other.body).is_ok_and(|it| it == der);
        let shown = |record: &UploadRecord| SigningCertificate {
            user_name: keys.owner_name(),
            certificate_id: record.id.clone(),
            certificate_body: record.body.clone(),
            status: StatusType::Active,
            upload_date: Some(record.uploaded()),
        };
        if let Some(known) = keys.record.certificates.iter().find(|one| is_same(one)) {
            // AWS says active whatever it is.
            return Ok(UploadSigningCertificateResponse { certificate: shown(known) });
        }
        let has = |other: &PublicKeysRecord| other.certificates.iter().any(is_same);
        if self.anyone_has(cx.account(), has).await? {
            let message = "Duplicate certificate uploaded.";
            return Err(Error::DuplicateCertificateException(message.to_owned()));
        }
        if keys.record.certificates.len() >= CERTIFICATES_MAX {
            let message =
                format!("Cannot exceed quota for CertificatesPerUser: {CERTIFICATES_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let record = UploadRecord {
            id: certificate::id(&der),
            body: input.certificate_body,
            active: true,
            uploaded_ms: cx.now().millis(),
        };
        let certificate = shown(&record);
        keys.record.certificates.push(record);
        self.keep_public_keys(keys).await?;
        Ok(UploadSigningCertificateResponse { certificate })
    }
}
