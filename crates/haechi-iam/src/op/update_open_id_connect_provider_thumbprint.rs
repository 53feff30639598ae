//! Replaces the thumbprints of an OpenID Connect provider.

use haechi_core::{Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateOpenIDConnectProviderThumbprint;
use haechi_iam_model::shapes::UpdateOpenIDConnectProviderThumbprintRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::oidc::checked_thumbprints;
use crate::store::OidcProviderRecord;

impl Handle<UpdateOpenIDConnectProviderThumbprint> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateOpenIDConnectProviderThumbprintRequest,
    ) -> Result<Unit, Error> {
        let replace = |provider: OidcProviderRecord| {
            if input.thumbprint_list.is_empty() {
                let message = "Thumbprint list must contain at least one entry.";
                return Err(Error::InvalidInputException(message.to_owned()));
            }
            let thumbprints = checked_thumbprints(&input.thumbprint_list)?;
            Ok(OidcProviderRecord { thumbprints, ..provider })
        };
        self.change_oidc_provider(cx, &input.open_id_connect_provider_arn, replace).await
    }
}
