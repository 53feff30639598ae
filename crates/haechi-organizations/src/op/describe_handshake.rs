//! Describes an invitation, to either party.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribeHandshake;
use haechi_organizations_model::shapes::{DescribeHandshakeRequest, DescribeHandshakeResponse};

use crate::Organizations;
use crate::handshake::Party;

impl Handle<DescribeHandshake> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeHandshakeRequest,
    ) -> Result<DescribeHandshakeResponse, Error> {
        let found = self.handshake(cx, &input.handshake_id, Party::Either).await?;
        Ok(DescribeHandshakeResponse { handshake: Some(found.value.shown(cx.now())) })
    }
}
