//! `Invoke`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::Invoke;
use haechi_lambda_model::shapes::{InvocationRequest, InvocationResponse, InvocationType, LogType};
use haechi_wire::SecretBlob;

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
    let wrong = |why: String| {
        content(format!(
            "Could not parse request body into json: Could not parse payload into json: {why}"
        ))
    };
    let text = std::str::from_utf8(payload)
        .map_err(|error| wrong(not_text(payload, error.valid_up_to())))?;
    // AWS quotes its parser, which is another one.
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map_err(|error| wrong(error.to_string()))?;
    Ok(text.to_owned())
}

/// What AWS's parser says of a byte that begins no character, as recorded: where a value is to
/// begin, it stands on the byte; within something, behind it.
fn not_text(payload: &[u8], at: usize) -> String {
    let (before, rest) = payload.split_at_checked(at).unwrap_or((payload, &[]));
    let byte = rest.first().copied().unwrap_or_default();
    let line = before.split(|byte| *byte == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let (why, column) = if before.trim_ascii().is_empty() {
        let told = match byte {
            0x80..=0x9f => format!("(CTRL-CHAR, code {byte})"),
            _ => format!("'{}' (code {byte})", char::from(byte)),
        };
        let why = format!(
            "Unexpected character ({told}): expected a valid value (JSON String, Number, Array, \
             Object or token 'null', 'true' or 'false')"
        );
        (why, column)
    } else {
        (format!("Invalid UTF-8 start byte 0x{byte:x}"), column + 1)
    };
    format!(
        "{why}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); \
         line: {line}, column: {column}]"
    )
}

/// The client's context as the runtime gets it: JSON.
fn client_context(given: Option<String>) -> Result<Option<String>, Error> {
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
    let wrong = || content("Client context must be a valid Base64-encoded JSON object.");
    let decoded = STANDARD.decode(given).map_err(|_| wrong())?;
    let text = String::from_utf8(decoded).map_err(|_| wrong())?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|_| wrong())?;
    Ok(Some(text))
}
