//! Adds tags to a server certificate, or changes them.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::TagServerCertificate;
use haechi_iam_model::shapes::TagServerCertificateRequest;
use haechi_wire::shape::Unit;

use crate::authz::Conditions;
use crate::store::ServerCertificateRecord;
use crate::{Iam, tags};

impl Handle<TagServerCertificate> for Iam {
    async fn handle(&self, cx: &Cx, input: TagServerCertificateRequest) -> Result<Unit, Error> {
        let keys = tags::keys(&input.tags);
        let asked =
            Conditions { request_tags: &input.tags, tag_keys: &keys, ..Conditions::default() };
        let found = self.server_certificate(cx, &input.server_certificate_name, asked).await?;
        if input.tags.is_empty() {
            let message = "The provided tag map must not be null/empty.";
            return Err(Error::InvalidInputException(message.to_owned()));
        }
        tags::check(&input.tags, tags::KeyCase::Counts)?;
        let tags = tags::merged(found.value.tags.clone(), &input.tags, tags::KeyCase::Counts)?;
        let mut batch = Batch::new();
        batch.replace(&found, &ServerCertificateRecord { tags, ..found.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
