//! Keeps a TLS certificate with its private key, which is never shown.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{TagServerCertificate, UploadServerCertificate};
use haechi_iam_model::shapes::{UploadServerCertificateRequest, UploadServerCertificateResponse};

use crate::authz::{Conditions, authorize_creation};
use crate::secret::Secret;
use crate::server_certificate::{self, CERTIFICATES_MAX};
use crate::store::{ServerCertificateRecord, server_certificate_path, server_certificates_path};
use crate::user::{DEFAULT_PATH, new_id, shown_tags};
use crate::{Iam, tags};

impl Handle<UploadServerCertificate> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UploadServerCertificateRequest,
    ) -> Result<UploadServerCertificateResponse, Error> {
        let (account, name) = (cx.account(), input.server_certificate_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let new_tags = input.tags.unwrap_or_default();
        let arn = server_certificate::arn(account, &path, &name);
        server_certificate::note(cx, &arn);
        let keys = tags::keys(&new_tags);
        let asked =
            Conditions { request_tags: &new_tags, tag_keys: &keys, ..Conditions::default() };
        authorize_creation::<TagServerCertificate>(cx, &arn, &asked)?;
        tags::check(&new_tags, tags::KeyCase::Counts)?;
        let chain = input.certificate_chain;
        let checked = server_certificate::check(
            &input.certificate_body,
            &input.private_key.0,
            chain.as_deref(),
        )?;
        let place = server_certificate_path(account, &name);
        if self.database.load::<ServerCertificateRecord>(&place).await?.is_some() {
            return Err(server_certificate::exists(&name));
        }
        let all = server_certificates_path(account);
        if self.database.list_all::<ServerCertificateRecord>(&all).await?.len() >= CERTIFICATES_MAX
        {
            let message =
                format!("Cannot exceed quota for ServerCertificatesPerAccount: {CERTIFICATES_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let record = ServerCertificateRecord {
            name,
            path,
            id: new_id(&cx.env, "ASCA")?,
            // AWS shows them without the line end that files have.
            body: input.certificate_body.trim().to_owned(),
            chain: chain.map(|chain| chain.trim().to_owned()),
            private_key: Secret(input.private_key),
            uploaded_ms: cx.now().millis(),
            expires_ms: checked.expires_ms,
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Counts)?,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(place, &record);
        self.database.commit(batch).await?;
        Ok(UploadServerCertificateResponse {
            server_certificate_metadata: Some(record.metadata(account)),
            tags: Some(shown_tags(&record.tags)).filter(|tags| !tags.is_empty()),
        })
    }
}
