//! Lists server certificates by name.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::ListServerCertificates;
use haechi_iam_model::shapes::{ListServerCertificatesRequest, ListServerCertificatesResponse};

use crate::authz::{Conditions, authorize};
use crate::listing::page;
use crate::store::{ServerCertificateRecord, server_certificates_path};
use crate::{Iam, server_certificate};

impl Handle<ListServerCertificates> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListServerCertificatesRequest,
    ) -> Result<ListServerCertificatesResponse, Error> {
        let account = cx.account();
        let prefix = input.path_prefix.as_deref().unwrap_or("/");
        authorize(cx, &server_certificate::arn(account, prefix, ""), &Conditions::default())?;
        let all = server_certificates_path(account);
        let rows = self.database.list_all::<ServerCertificateRecord>(&all).await?;
        let mut all: Vec<ServerCertificateRecord> = rows.into_iter().map(|row| row.value).collect();
        all.retain(|one| one.path.starts_with(prefix));
        let order = |one: &ServerCertificateRecord| one.name.to_lowercase();
        all.sort_by_cached_key(order);
        let found = page(all.into_iter(), order, input.marker.as_deref(), input.max_items)?;
        Ok(ListServerCertificatesResponse {
            server_certificate_metadata_list: found
                .items
                .iter()
                .map(|one| one.metadata(account))
                .collect(),
            is_truncated: Some(found.marker.is_some()),
            marker: found.marker,
        })
    }
}
