//! Lists the tags of a server certificate, by key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListServerCertificateTags;
use haechi_iam_model::shapes::{
    ListServerCertificateTagsRequest, ListServerCertificateTagsResponse,
};

use crate::authz::Conditions;
use crate::{Iam, tags};

impl Handle<ListServerCertificateTags> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListServerCertificateTagsRequest,
    ) -> Result<ListServerCertificateTagsResponse, Error> {
        let name = &input.server_certificate_name;
        let record = self.server_certificate(cx, name, Conditions::default()).await?.value;
        let found = tags::listed(
            record.tags,
            tags::KeyCase::Counts,
            input.marker.as_deref(),
            input.max_items,
        )?;
        Ok(ListServerCertificateTagsResponse {
            tags: found.items,
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
