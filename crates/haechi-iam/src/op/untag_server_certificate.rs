//! Takes tags from a server certificate; keys that it does not have are no error.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UntagServerCertificate;
use haechi_iam_model::shapes::UntagServerCertificateRequest;
use haechi_wire::shape::Unit;

use crate::authz::Conditions;
use crate::store::ServerCertificateRecord;
use crate::{Iam, tags};

impl Handle<UntagServerCertificate> for Iam {
    async fn handle(&self, cx: &Cx, input: UntagServerCertificateRequest) -> Result<Unit, Error> {
        let asked = Conditions { tag_keys: &input.tag_keys, ..Conditions::default() };
        let found = self.server_certificate(cx, &input.server_certificate_name, asked).await?;
        if input.tag_keys.is_empty() {
            let message = "The provided tag keys must not be null/empty.";
            return Err(Error::InvalidInputException(message.to_owned()));
        }
        let tags = tags::without(found.value.tags.clone(), &input.tag_keys, tags::KeyCase::Counts);
        let mut batch = Batch::new();
        batch.replace(&found, &ServerCertificateRecord { tags, ..found.value.clone() });
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
