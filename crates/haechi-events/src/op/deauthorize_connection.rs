//! `DeauthorizeConnection`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DeauthorizeConnection;
use haechi_events_model::shapes::{
    ConnectionState, DeauthorizeConnectionRequest, DeauthorizeConnectionResponse,
};
use haechi_wire::Timestamp;

use crate::{Events, connection};

impl Handle<DeauthorizeConnection> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeauthorizeConnectionRequest,
    ) -> Result<DeauthorizeConnectionResponse, Error> {
        let found = self.connection(cx, &input.name).await?;
        let mut record = found.value.clone();
        self.drop_secret(cx, &mut record).await?;
        ConnectionState::Deauthorized.as_str().clone_into(&mut record.state);
        record.state_reason = None;
        record.modified_ms = cx.now().millis();
        let mut batch = Batch::new();
        batch.replace(&found, &record);
        self.database.commit(batch).await?;
        let time = |ms: i64| Some(Timestamp::from_millis(ms));
        Ok(DeauthorizeConnectionResponse {
            connection_arn: Some(connection::arn(cx, &record)),
            connection_state: connection::state(&record),
            creation_time: time(record.created_ms),
            last_modified_time: time(record.modified_ms),
            last_authorized_time: record.authorized_ms.and_then(time),
        })
    }
}
