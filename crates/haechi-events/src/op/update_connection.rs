//! `UpdateConnection`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::UpdateConnection;
use haechi_events_model::shapes::{
    ConnectionAuthorizationType, ConnectionState, UpdateConnectionRequest, UpdateConnectionResponse,
};
use haechi_wire::{Fault, Timestamp};

use crate::{Events, connection};

impl Handle<UpdateConnection> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateConnectionRequest,
    ) -> Result<UpdateConnectionResponse, Error> {
        let found = self.connection(cx, &input.name).await?;
        let given = input.auth_parameters;
        let private = input.invocation_connectivity_parameters.is_some();
        let private_auth =
            given.as_ref().is_some_and(|given| given.connectivity_parameters.is_some());
        cx.lacks(&[
            ("InvocationConnectivityParameters", private),
            ("AuthParameters.ConnectivityParameters", private_auth),
        ])?;
        let mut record = found.value.clone();
        if input.description.is_some() {
            record.description = input.description.filter(|text| !text.is_empty());
        }
        let key = input.kms_key_identifier.map(|key| Some(key).filter(|key| !key.is_empty()));
        let is_other_key = key.as_ref().is_some_and(|key| *key != record.kms_key);
        record.kms_key = key.unwrap_or(record.kms_key);
        let mut batch = Batch::new();
        if given.is_some() || input.authorization_type.is_some() || is_other_key {
            let before = ConnectionAuthorizationType::parse(&record.authorization_type);
            let kind = input.authorization_type.or(before);
            let kind = kind.ok_or_else(|| Fault::internal("a connection of no type"))?;
            let given = given.unwrap_or_default();
            self.authorize(cx, &mut record, kind, given, &mut batch).await?;
        }
        // What has nothing to authorise with stays as it is; others are authorised anew, also where
        // nothing about that was changed: what was wrong may have been on the other side.
        if record.secret_arn.is_some() {
            self.tokens.forget(&record);
            self.begin_authorized(cx, &mut record, &mut batch)?;
        } else {
            ConnectionState::Deauthorized.as_str().clone_into(&mut record.state);
        }
        record.modified_ms = cx.now().millis();
        batch.replace(&found, &record);
        self.database.commit(batch).await?;
        self.jobs.wake();
        let time = |ms: i64| Some(Timestamp::from_millis(ms));
        Ok(UpdateConnectionResponse {
            connection_arn: Some(connection::arn(cx, &record)),
            connection_state: connection::state(&record),
            creation_time: time(record.created_ms),
            last_modified_time: time(record.modified_ms),
            last_authorized_time: record.authorized_ms.and_then(time),
        })
    }
}
