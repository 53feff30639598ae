//! `CreateConnection`.

use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::CreateConnection;
use haechi_events_model::shapes::{CreateConnectionRequest, CreateConnectionResponse};
use haechi_wire::Timestamp;

use crate::connection::{self, CONNECTIONS_MAX, of_creation};
use crate::store::ConnectionRecord;
use crate::{Events, bus};

impl Handle<CreateConnection> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateConnectionRequest,
    ) -> Result<CreateConnectionResponse, Error> {
        bus::allow(cx, &connection::resource(cx, &input.name))?;
        // Private APIs are reached through VPC Lattice, which is not here.
        let private = input.invocation_connectivity_parameters.is_some();
        let private_auth = input.auth_parameters.connectivity_parameters.is_some();
        cx.lacks(&[
            ("InvocationConnectivityParameters", private),
            ("AuthParameters.ConnectivityParameters", private_auth),
        ])?;
        let place = bus::place(cx);
        let path = place.connection(&input.name);
        if self.database.load::<ConnectionRecord>(&path).await?.is_some() {
            let told = format!("Connection {} already exists.", input.name);
            return Err(Error::ResourceAlreadyExistsException(told));
        }
        let all = place.connections();
        let page = self.database.list::<ConnectionRecord>(&all, None, CONNECTIONS_MAX).await?;
        if page.items.len() >= usize::try_from(CONNECTIONS_MAX).unwrap_or(usize::MAX) {
            let told = "The requested resource exceeds the maximum number allowed.";
            return Err(Error::LimitExceededException(told.to_owned()));
        }
        let mut record = self.new_connection(cx, &input.name)?;
        record.description = input.description;
        record.kms_key = input.kms_key_identifier.filter(|key| !key.is_empty());
        let (kind, given) = (input.authorization_type, of_creation(input.auth_parameters));
        let mut batch = Batch::new();
        self.authorize(cx, &mut record, kind, given, &mut batch).await?;
        self.begin_authorized(cx, &mut record, &mut batch)?;
        batch.create(path, &record);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(CreateConnectionResponse {
            connection_arn: Some(connection::arn(cx, &record)),
            connection_state: connection::state(&record),
            creation_time: Some(Timestamp::from_millis(record.created_ms)),
            last_modified_time: Some(Timestamp::from_millis(record.modified_ms)),
        })
    }
}
