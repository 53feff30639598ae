//! `DeleteConnection`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DeleteConnection;
use haechi_events_model::shapes::{
    ConnectionState, DeleteConnectionRequest, DeleteConnectionResponse,
};
use haechi_wire::Timestamp;

use crate::{Events, connection};

impl Handle<DeleteConnection> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteConnectionRequest,
    ) -> Result<DeleteConnectionResponse, Error> {
        let found = self.connection(cx, &input.name).await?;
        let mut record = found.value.clone();
        // First: should a crash come between, the connection is there to be deleted again.
        self.drop_secret(cx, &mut record).await?;
        let mut batch = Batch::new();
        batch.remove(&found);
        self.database.commit(batch).await?;
        let time = |ms: i64| Some(Timestamp::from_millis(ms));
        Ok(DeleteConnectionResponse {
            connection_arn: Some(connection::arn(cx, &record)),
            connection_state: Some(ConnectionState::Deleting),
            creation_time: time(record.created_ms),
            last_modified_time: time(record.modified_ms),
            last_authorized_time: record.authorized_ms.and_then(time),
        })
    }
}
