//! Calls of APIs in the name of roles, for EventBridge and its Scheduler: through the same router as
//! everybody's, which knows the operations that were mounted before their own.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::router::Endpoint;
use haechi_core::{Env, Region, RoleSession, Router};
use haechi_scheduler::{Call, Calls, Refusal};
use haechi_wire::audit::AuditWriter;
use haechi_wire::decode::InputError;
use haechi_wire::json::{JsonReader, JsonWriter};
use haechi_wire::validate::message;
use haechi_wire::{Fault, Problem, Protocol};
use serde_json::Value;

use crate::recorder::{self, Recorder, Told};

/// What Secrets Manager wants of requests that make versions.
const TOKEN: &str = "ClientRequestToken";

/// The operations that make them.
const TOKEN_OF: [&str; 4] = ["CreateSecret", "PutSecretValue", "RotateSecret", "UpdateSecret"];

/// The operations that roles can call.
pub struct RoleCalls {
    /// Time and randomness.
    pub env: Env,
    /// The operations.
    pub router: Router,
    /// Where calls are recorded.
    pub recorder: Arc<Recorder>,
    /// The service that calls, as in service principals.
    pub service: &'static str,
}

impl RoleCalls {
    fn endpoint(&self, service: &str, operation: &str) -> Option<&Arc<dyn Endpoint>> {
        self.router.endpoint(self.router.named(service)?, operation).ok()
    }

    /// A call's input with the token that an SDK adds, through which AWS calls.
    fn completed(&self, call: &Call) -> Result<Value, Fault> {
        let mut input = call.input.clone();
        if let Some(members) = input.as_object_mut()
            && call.service == "secretsmanager"
            && TOKEN_OF.contains(&call.operation.as_str())
            && !members.contains_key(TOKEN)
        {
            let token = self.env.uuid().map_err(Fault::internal)?;
            members.insert(TOKEN.to_owned(), Value::String(token.to_string()));
        }
        Ok(input)
    }
}

#[async_trait]
impl Calls for RoleCalls {
    fn has(&self, service: &str, operation: &str) -> bool {
        self.endpoint(service, operation).is_some()
    }

    async fn call(&self, role: &RoleSession, region: &Region, call: &Call) -> Result<(), Refusal> {
        let Some(endpoint) = self.endpoint(&call.service, &call.operation) else {
            let (code, message) = ("UnsupportedOperation", "haechi does not implement it");
            return Err(Refusal::Permanent { code: code.into(), message: message.into() });
        };
        let input = self.completed(call)?.to_string();
        let decoded = endpoint.decode(&mut JsonReader::new(input.as_bytes()));
        let decoded = decoded.map_err(|error| match error {
            InputError::Malformed(malformed) => Fault::Malformed(malformed.0),
            InputError::Invalid(violations) => Fault::Validation(message(&violations)),
        })?;
        let cx = role.cx(&self.env, region.clone(), endpoint.schema())?;
        self.recorder.check()?;
        let mut parameters = AuditWriter::default();
        decoded.write_input(&mut parameters);
        let outcome = decoded.run(&cx).await;
        let elements = match &outcome {
            Ok(answer) if !endpoint.schema().read_only => {
                let mut elements = AuditWriter::default();
                answer.write(&mut elements);
                elements.finish()
            }
            _ => Vec::new(),
        };
        let told = Told {
            service: self.service,
            parameters: parameters.finish(),
            elements,
            problem: outcome.as_ref().err().map(recorder::told),
        };
        self.recorder.record(&cx, told).await?;
        let answer = outcome.map_err(refusal)?;
        if (call.service.as_str(), call.operation.as_str()) == ("events", "PutEvents") {
            let mut writer = JsonWriter::new();
            answer.write(&mut writer);
            return taken(&writer.finish());
        }
        Ok(())
    }
}

/// Whether all events were taken: an answer that names a refused one is an answer all the same.
fn taken(answer: &[u8]) -> Result<(), Refusal> {
    let answer: Value = serde_json::from_slice(answer).map_err(Fault::internal)?;
    let entries = answer.get("Entries").and_then(Value::as_array).into_iter().flatten();
    let Some(refused) = entries.into_iter().find(|entry| entry.get("ErrorCode").is_some()) else {
        return Ok(());
    };
    let told = |name: &str| {
        refused.get(name).and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
    };
    Err(Refusal::Permanent { code: told("ErrorCode"), message: told("ErrorMessage") })
}

fn refusal(problem: Problem) -> Refusal {
    let code = problem.code(Protocol::Json11).to_owned();
    let status = problem.status(Protocol::Json11);
    let message = problem.message();
    match problem {
        Problem::Fault(fault) => fault.into(),
        _ if status >= 500 || status == 429 || code.contains("Throttl") => {
            Refusal::Temporary { code, message }
        }
        _ => Refusal::Permanent { code, message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_refused_is_not_taken() {
        assert!(taken(br#"{"FailedEntryCount":0,"Entries":[{"EventId":"i"}]}"#).is_ok());
        let answer = br#"{"FailedEntryCount":1,"Entries":[{"EventId":"i"},
            {"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"Not authorized."}]}"#;
        let Err(Refusal::Permanent { code, message }) = taken(answer) else { panic!("taken") };
        assert_eq!((&*code, &*message), ("NotAuthorizedForSourceException", "Not authorized."));
    }
}
