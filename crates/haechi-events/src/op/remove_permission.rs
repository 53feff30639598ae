//! `RemovePermission`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::RemovePermission;
use haechi_events_model::shapes::RemovePermissionRequest;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;
use serde_json::Value;

use crate::store::BusRecord;
use crate::{Events, bus};

impl Handle<RemovePermission> for Events {
    async fn handle(&self, cx: &Cx, input: RemovePermissionRequest) -> Result<Unit, Error> {
        let name = bus::name(cx, input.event_bus_name.as_deref())?.to_owned();
        self.allow_bus(cx, &name).await?;
        if input.remove_all_permissions == Some(true) {
            let change = |record: &mut BusRecord| {
                record.policy = None;
                Ok(())
            };
            self.change_bus(cx, &name, change).await?;
            return Ok(Unit);
        }
        let Some(sid) = input.statement_id else {
            return Err(bus::invalid("StatementId or RemoveAllPermissions must be specified."));
        };
        let change = |record: &mut BusRecord| {
            record.policy = without(record.policy.as_deref(), &sid)?;
            Ok(())
        };
        self.change_bus(cx, &name, change).await?;
        Ok(Unit)
    }
}

/// A policy without a statement; none is left if it was the last.
fn without(policy: Option<&str>, sid: &str) -> Result<Option<String>, Error> {
    let missing = || {
        let told = "Statement with the provided id does not exist.";
        Error::ResourceNotFoundException(told.to_owned())
    };
    let mut policy: Value =
        serde_json::from_str(policy.ok_or_else(missing)?).map_err(Fault::internal)?;
    let Some(statements) = policy.get_mut("Statement") else { return Err(missing()) };
    if !statements.is_array() {
        *statements = Value::Array(vec![statements.take()]);
    }
    let Some(statements) = statements.as_array_mut() else { return Err(missing()) };
    let count = statements.len();
    statements.retain(|one| one.get("Sid").and_then(Value::as_str) != Some(sid));
    if statements.len() == count {
        return Err(missing());
    }
    Ok((!statements.is_empty()).then(|| policy.to_string()))
}
