//! Shows a server certificate and its chain; never its private key.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::GetServerCertificate;
use haechi_iam_model::shapes::{
    GetServerCertificateRequest, GetServerCertificateResponse, ServerCertificate,
};

use crate::Iam;
use crate::authz::Conditions;
use crate::user::shown_tags;

impl Handle<GetServerCertificate> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetServerCertificateRequest,
    ) -> Result<GetServerCertificateResponse, Error> {
        let name = &input.server_certificate_name;
        let found = self.server_certificate(cx, name, Conditions::default()).await?.value;
        Ok(GetServerCertificateResponse {
            server_certificate: ServerCertificate {
                server_certificate_metadata: found.metadata(cx.account()),
                tags: Some(shown_tags(&found.tags)).filter(|tags| !tags.is_empty()),
                certificate_body: found.body,
                certificate_chain: found.chain,
            },
        })
    }
}
