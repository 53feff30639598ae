//! Lists the signing certificates of a user, or of the caller itself.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListSigningCertificates;
use haechi_iam_model::shapes::{
    ListSigningCertificatesRequest, ListSigningCertificatesResponse, SigningCertificate,
};

use crate::Iam;
use crate::listing::page;

impl Handle<ListSigningCertificates> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSigningCertificatesRequest,
    ) -> Result<ListSigningCertificatesResponse, Error> {
        let keys = self.public_keys(cx, input.user_name.as_deref()).await?;
        let mut all = keys.record.certificates.clone();
        all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let marker = input.marker.as_deref();
        let found = page(all.into_iter(), |one| one.id.clone(), marker, input.max_items)?;
        let shown = found.items.into_iter().map(|one| SigningCertificate {
            user_name: keys.owner_name(),
            status: one.status(),
            upload_date: Some(one.uploaded()),
            certificate_id: one.id,
            certificate_body: one.body,
        });
        Ok(ListSigningCertificatesResponse {
            certificates: shown.collect(),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
