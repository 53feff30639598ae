//! Takes an invitation back.

use haechi_core::{Batch, Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::CancelHandshake;
use haechi_organizations_model::shapes::{
    CancelHandshakeRequest, CancelHandshakeResponse, HandshakeState,
};

use crate::Organizations;
use crate::handshake::{Party, moved};

impl Handle<CancelHandshake> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: CancelHandshakeRequest,
    ) -> Result<CancelHandshakeResponse, Error> {
        let found = self.handshake(cx, &input.handshake_id, Party::Inviter).await?;
        let record = moved(&found.value, HandshakeState::Canceled, cx.now())?;
        let mut batch = Batch::new();
        batch.replace(&found, &record);
        self.database.commit(batch).await?;
        Ok(CancelHandshakeResponse { handshake: Some(record.shown(cx.now())) })
    }
}
