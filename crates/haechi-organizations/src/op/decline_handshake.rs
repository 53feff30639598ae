//! Declines an invitation.

use haechi_core::{Batch, Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DeclineHandshake;
use haechi_organizations_model::shapes::{
    DeclineHandshakeRequest, DeclineHandshakeResponse, HandshakeState,
};

use crate::Organizations;
use crate::handshake::{Party, moved};

impl Handle<DeclineHandshake> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeclineHandshakeRequest,
    ) -> Result<DeclineHandshakeResponse, Error> {
        let found = self.handshake(cx, &input.handshake_id, Party::Invited).await?;
        let record = moved(&found.value, HandshakeState::Declined, cx.now())?;
        let mut batch = Batch::new();
        batch.replace(&found, &record);
        self.database.commit(batch).await?;
        Ok(DeclineHandshakeResponse { handshake: Some(record.shown(cx.now())) })
    }
}
