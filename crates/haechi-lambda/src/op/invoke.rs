//! `Invoke`.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{Cx, Handle, Resource};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::Invoke;
use haechi_lambda_model::shapes::{InvocationRequest, InvocationResponse, InvocationType, LogType};
use haechi_rules::no_json;
use haechi_wire::SecretBlob;
use serde::de::IgnoredAny;

use crate::invoke::Given;
use crate::reference::Reference;
use crate::words::{content, too_large};
use crate::{Lambda, event};

impl Handle<Invoke> for Lambda {
    async fn handle(&self, cx: &Cx, input: InvocationRequest) -> Result<InvocationResponse, Error> {
        cx.refuse_parameters(&[
            ("DurableExecutionName", input.durable_execution_name.is_some()),
            ("TenantId", input.tenant_id.is_some()),
        ])?;
        let reference = Reference::of(cx, &input.function_name, input.qualifier.as_deref())?;
        let kind = input.invocation_type.unwrap_or(InvocationType::RequestResponse);
        let function = self.qualified(cx, reference, "lambda:InvokeFunction").await?;
        cx.note(Resource {
            arn: function.reference.function_arn(),
            account: function.reference.account.to_string(),
            kind: "AWS::Lambda::Function",
        });
        let version = self.drawn(&function).await?;
        let payload = input.payload.unwrap_or_default();
        let limit = if kind == InvocationType::Event { event::PAYLOAD_MAX } else { SYNC_MAX };
        if payload.0.len() > limit {
            return Err(too_large(limit, "InvokeFunction"));
        }
        let event = event_text(&payload.0)?;
        let answer = |status| InvocationResponse {
            status_code: Some(status),
            ..InvocationResponse::default()
        };
        match kind {
            InvocationType::DryRun => Ok(answer(204)),
            InvocationType::Event => {
                let arn = function.reference.arn();
                self.enqueue(cx, arn, event).await?;
                Ok(answer(202))
            }
            InvocationType::RequestResponse => {
                let given = Given {
                    request_id: cx.request.id.clone(),
                    payload: event.into(),
                    client_context: client_context(input.client_context)?,
                };
                let done = self.run(&function, &version, given).await?;
                let wants_log = input.log_type == Some(LogType::Tail);
                Ok(InvocationResponse {
                    function_error: done.failed.then(|| "Unhandled".to_owned()),
                    log_result: wants_log.then(|| done.log_result()),
                    executed_version: Some(done.version),
                    payload: Some(SecretBlob(done.payload)),
                    ..answer(200)
                })
            }
        }
    }
}

/// Bytes of an event that is waited for, at most (quota).
const SYNC_MAX: usize = 6_291_456;

/// The event as text, if it is JSON; without one it is an empty object.
fn event_text(payload: &[u8]) -> Result<String, Error> {
    if payload.is_empty() {
        return Ok("{}".to_owned());
    }
    let read = std::str::from_utf8(payload).map_err(|error| error.to_string()).and_then(|text| {
        let json = serde_json::from_str::<IgnoredAny>(text);
        json.map(|_| text.to_owned()).map_err(|error| error.to_string())
    });
    // In the words of AWS's parser, where that refuses it too.
    read.map_err(|error| {
        let why = no_json(payload).unwrap_or(error);
        content(format!(
            "Could not parse request body into json: Could not parse payload into json: {why}"
        ))
    })
}

/// Bytes of a client's context, encoded, at most (API Reference, Invoke).
const CONTEXT_MAX: usize = 3583;

/// The client's context as the runtime gets it: a JSON object.
fn client_context(given: Option<String>) -> Result<Option<String>, Error> {
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
    if given.len() > CONTEXT_MAX {
        return Err(content(format!("Client context must be no longer than {CONTEXT_MAX} bytes.")));
    }
    let wrong = || content("Client context must be a valid Base64-encoded JSON object.");
    let decoded = STANDARD.decode(given).map_err(|_| wrong())?;
    let text = String::from_utf8(decoded).map_err(|_| wrong())?;
    serde_json::from_str::<HashMap<String, IgnoredAny>>(&text).map_err(|_| wrong())?;
    Ok(Some(text))
}
