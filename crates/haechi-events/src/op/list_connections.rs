//! `ListConnections`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::ListConnections;
use haechi_events_model::shapes::{
    Connection, ConnectionAuthorizationType, ListConnectionsRequest, ListConnectionsResponse,
};
use haechi_wire::Timestamp;

use crate::paging::page;
use crate::store::ConnectionRecord;
use crate::{Events, bus, connection};

impl Handle<ListConnections> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListConnectionsRequest,
    ) -> Result<ListConnectionsResponse, Error> {
        cx.authorize_any()?;
        let rows =
            self.database.list_all::<ConnectionRecord>(&bus::place(cx).connections()).await?;
        let prefix = input.name_prefix.unwrap_or_default();
        let wanted = |record: &ConnectionRecord| {
            let is_in_state =
                input.connection_state.is_none_or(|state| connection::is(record, state));
            record.name.starts_with(&prefix) && is_in_state
        };
        let mut all: Vec<ConnectionRecord> =
            rows.into_iter().map(|row| row.value).filter(wanted).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let token = input.next_token.as_deref();
        let (shown, next_token) = page(all, |record| &record.name, input.limit, token);
        let time = |ms: i64| Some(Timestamp::from_millis(ms));
        let show = |record: ConnectionRecord| Connection {
            connection_arn: Some(connection::arn(cx, &record)),
            connection_state: connection::state(&record),
            authorization_type: ConnectionAuthorizationType::parse(&record.authorization_type),
            creation_time: time(record.created_ms),
            last_modified_time: time(record.modified_ms),
            last_authorized_time: record.authorized_ms.and_then(time),
            state_reason: record.state_reason,
            name: Some(record.name),
        };
        let connections = Some(shown.into_iter().map(show).collect());
        Ok(ListConnectionsResponse { connections, next_token })
    }
}
