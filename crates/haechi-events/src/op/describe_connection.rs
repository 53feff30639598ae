//! `DescribeConnection`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DescribeConnection;
use haechi_events_model::shapes::{
    ConnectionAuthorizationType, DescribeConnectionRequest, DescribeConnectionResponse,
};
use haechi_wire::Timestamp;

use crate::connection::Authorization;
use crate::{Events, connection};

impl Handle<DescribeConnection> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeConnectionRequest,
    ) -> Result<DescribeConnectionResponse, Error> {
        let record = self.connection(cx, &input.name).await?.value;
        let time = |ms: i64| Some(Timestamp::from_millis(ms));
        Ok(DescribeConnectionResponse {
            connection_arn: Some(connection::arn(cx, &record)),
            connection_state: connection::state(&record),
            authorization_type: ConnectionAuthorizationType::parse(&record.authorization_type),
            auth_parameters: record.authorization.as_ref().map(Authorization::show),
            creation_time: time(record.created_ms),
            last_modified_time: time(record.modified_ms),
            last_authorized_time: record.authorized_ms.and_then(time),
            description: record.description,
            state_reason: record.state_reason,
            secret_arn: record.secret_arn,
            kms_key_identifier: record.kms_key,
            name: Some(record.name),
            ..Default::default()
        })
    }
}
