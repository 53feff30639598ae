//! Targets: what is accepted, how they are shown, what is called.
//!
//! A target is a resource that one certain operation is called on, or any operation of a service by
//! its name: `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`.
//!
//! Source: User Guide, "Managing targets in EventBridge Scheduler", "Adding context attributes".

use haechi_core::Cx;
use haechi_scheduler_model::Error;
use haechi_scheduler_model::shapes::{
    DeadLetterConfig, EventBridgeParameters, RetryPolicy, SqsParameters, Target,
};
use serde_json::{Value, json};

use crate::store::TargetRecord;
use crate::{Call, Calls, invalid};

/// Unless a target says otherwise: a day and 185 tries.
const AGE_SECONDS: i32 = 86_400;
const ATTEMPTS: i32 = 185;

/// Bytes of an input, at most.
const INPUT_MAX: usize = 256 * 1024;

/// Beginnings of operations that only read: a schedule would call them in vain (User Guide, "Using
/// universal targets").
const READING: [&str; 16] = [
    "get",
    "describe",
    "list",
    "poll",
    "receive",
    "search",
    "scan",
    "query",
    "select",
    "read",
    "lookup",
    "discover",
    "validate",
    "batchGet",
    "batchDescribe",
    "batchRead",
];

/// Services with targets of their own that are not done. Source: User Guide, "Using templated
/// targets".
const NOT_DONE: [&str; 8] =
    ["codebuild", "codepipeline", "ecs", "firehose", "inspector", "kinesis", "sagemaker", "states"];

/// What the text of an input may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) schedule_arn: String,
    /// ISO 8601.
    pub(crate) scheduled_time: String,
    pub(crate) execution_id: String,
    pub(crate) attempt: i32,
    pub(crate) account: String,
    pub(crate) region: String,
}

/// Checks a target.
pub(crate) fn accept(cx: &Cx, calls: &dyn Calls, target: Target) -> Result<TargetRecord, Error> {
    cx.refuse_parameters(&[
        ("EcsParameters", target.ecs_parameters.is_some()),
        ("KinesisParameters", target.kinesis_parameters.is_some()),
        ("SageMakerPipelineParameters", target.sage_maker_pipeline_parameters.is_some()),
        (
            "EventBridgePutEventsV2Parameters",
            target.event_bridge_put_events_v2_parameters.is_some(),
        ),
        (
            "EventBridgePutRawEventsParameters",
            target.event_bridge_put_raw_events_parameters.is_some(),
        ),
    ])?;
    let retry = target.retry_policy;
    let record = TargetRecord {
        group_id: target.sqs_parameters.and_then(|parameters| parameters.message_group_id),
        event: target
            .event_bridge_parameters
            .map(|parameters| (parameters.detail_type, parameters.source)),
        dead_letter_arn: target.dead_letter_config.and_then(|config| config.arn),
        retry_attempts: retry
            .as_ref()
            .and_then(|retry| retry.maximum_retry_attempts)
            .unwrap_or(ATTEMPTS),
        retry_age_seconds: retry
            .and_then(|retry| retry.maximum_event_age_in_seconds)
            .unwrap_or(AGE_SECONDS),
        arn: target.arn,
        role_arn: target.role_arn,
        input: target.input,
    };
    let service = record.arn.split(':').nth(2).unwrap_or_default();
    if NOT_DONE.contains(&service) {
        return Err(cx.unsupported_parameter(&format!("Target.Arn={}", record.arn)).into());
    }
    let what =
        Called::of(&record.arn).ok_or_else(|| invalid("Provided Arn is not in correct format."))?;
    check(&record, &what)?;
    if !calls.has(what.service(), &what.operation()) {
        return Err(cx.unsupported_parameter(&format!("Target.Arn={}", record.arn)).into());
    }
    Ok(record)
}

fn check(record: &TargetRecord, what: &Called<'_>) -> Result<(), Error> {
    let input = record.input.as_deref().unwrap_or("{}");
    match what {
        _ if input.len() > INPUT_MAX => {
            Err(invalid(format!("Input must not be longer than {INPUT_MAX} bytes.")))
        }
        Called::Function(_) if serde_json::from_str::<Value>(input).is_err() => {
            Err(invalid("Input must be well-formed JSON for a Lambda function."))
        }
        Called::Queue { name, .. } if name.ends_with(".fifo") && record.group_id.is_none() => {
            Err(invalid("SqsParameters with a MessageGroupId must be specified for a FIFO queue."))
        }
        Called::Bus(_) if record.event.is_none() => {
            Err(invalid("EventBridgeParameters must be specified for an event bus."))
        }
        Called::Bus(_) if !is_object(input) => {
            Err(invalid("Input must be a JSON object for an event bus."))
        }
        Called::Any { action, .. } if READING.iter().any(|one| action.starts_with(one)) => {
            Err(invalid(format!("The API action {action} only reads, and cannot be a target.")))
        }
        Called::Any { .. } if !is_object(input) => {
            Err(invalid("Input must be the parameters of the API action, as a JSON object."))
        }
        _ => Ok(()),
    }
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
}

/// What a target's ARN says is to be called.
#[derive(Debug, PartialEq, Eq)]
enum Called<'a> {
    Queue {
        account: &'a str,
        name: &'a str,
    },
    Function(&'a str),
    Topic(&'a str),
    Bus(&'a str),
    /// An operation by its name, beginning with a small letter.
    Any {
        service: &'a str,
        action: &'a str,
    },
}

impl<'a> Called<'a> {
    fn of(arn: &'a str) -> Option<Called<'a>> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, service, _, account, resource] = *parts.as_slice() else { return None };
        Some(match service {
            "sqs" => Called::Queue { account, name: resource },
            "lambda" if resource.starts_with("function:") => Called::Function(arn),
            "sns" => Called::Topic(arn),
            "events" if resource.starts_with("event-bus/") => Called::Bus(arn),
            "scheduler" => {
                let (service, action) = resource.strip_prefix("aws-sdk:")?.split_once(':')?;
                let service = if service == "eventbridge" { "events" } else { service };
                let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let begins_small = action.starts_with(|first: char| first.is_ascii_lowercase());
                if !is_name(action) || !begins_small {
                    return None;
                }
                Called::Any { service, action }
            }
            _ => return None,
        })
    }

    fn service(&self) -> &str {
        match self {
            Called::Queue { .. } => "sqs",
            Called::Function(_) => "lambda",
            Called::Topic(_) => "sns",
            Called::Bus(_) => "events",
            Called::Any { service, .. } => service,
        }
    }

    fn operation(&self) -> String {
        match self {
            Called::Queue { .. } => "SendMessage".to_owned(),
            Called::Function(_) => "Invoke".to_owned(),
            Called::Topic(_) => "Publish".to_owned(),
            Called::Bus(_) => "PutEvents".to_owned(),
            Called::Any { action, .. } => {
                let mut characters = action.chars();
                let first = characters.next().map(|first| first.to_ascii_uppercase());
                first.into_iter().chain(characters).collect()
            }
        }
    }
}

/// The text that a target gets.
pub(crate) fn payload(target: &TargetRecord, about: &About) -> String {
    if let Some(input) = &target.input {
        return input
            .replace("<aws.scheduler.schedule-arn>", &about.schedule_arn)
            .replace("<aws.scheduler.scheduled-time>", &about.scheduled_time)
            .replace("<aws.scheduler.execution-id>", &about.execution_id)
            .replace("<aws.scheduler.attempt-number>", &about.attempt.to_string());
    }
    json!({
        "version": "0",
        "id": about.execution_id,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": about.account,
        "time": about.scheduled_time,
        "region": about.region,
        "resources": [about.schedule_arn],
        "detail": "{}",
    })
    .to_string()
}

/// The URL of a queue, wherever it is served.
fn queue_url(account: &str, name: &str) -> String {
    format!("https://queue.localhost/{account}/{name}")
}

/// The Region of a target; none if its ARN names none.
pub(crate) fn region(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// The call that is made for a target, with what it gets.
pub(crate) fn call(target: &TargetRecord, payload: &str, execution_id: &str) -> Option<Call> {
    let what = Called::of(&target.arn)?;
    let input = match &what {
        Called::Queue { account, name } => {
            let mut input = json!({"QueueUrl": queue_url(account, name), "MessageBody": payload});
            if name.ends_with(".fifo")
                && let Some(fields) = input.as_object_mut()
            {
                fields.insert("MessageGroupId".to_owned(), target.group_id.clone()?.into());
                fields.insert("MessageDeduplicationId".to_owned(), execution_id.into());
            }
            input
        }
        Called::Function(arn) => json!({
            "FunctionName": arn,
            "InvocationType": "Event",
            "Payload": base64(payload.as_bytes()),
        }),
        Called::Topic(arn) => json!({"TopicArn": arn, "Message": payload}),
        Called::Bus(arn) => {
            let (detail_type, source) = target.event.clone()?;
            let detail = if target.input.is_some() { payload } else { "{}" };
            json!({"Entries": [{
                "EventBusName": arn,
                "DetailType": detail_type,
                "Source": source,
                "Detail": detail,
            }]})
        }
        Called::Any { service, action } => {
            let mut input = match &target.input {
                Some(_) => serde_json::from_str(payload).ok()?,
                None => json!({}),
            };
            // It is written as it is, not as the bytes of JSON APIs are.
            if (*service, *action) == ("lambda", "invoke")
                && let Some(Value::String(text)) = input.get_mut("Payload")
            {
                *text = base64(text.as_bytes());
            }
            input
        }
    };
    Some(Call { service: what.service().to_owned(), operation: what.operation(), input })
}

/// The call that puts a dead letter into a queue.
pub(crate) fn dead_letter(
    queue_arn: &str,
    body: &str,
    attributes: &[(&str, String)],
) -> Option<Call> {
    let Some(Called::Queue { account, name }) = Called::of(queue_arn) else { return None };
    let attribute = |(name, text): &(&str, String)| {
        ((*name).to_owned(), json!({"DataType": "String", "StringValue": text}))
    };
    let attributes: serde_json::Map<String, Value> = attributes.iter().map(attribute).collect();
    let input = json!({
        "QueueUrl": queue_url(account, name),
        "MessageBody": body,
        "MessageAttributes": attributes,
    });
    let (service, operation) = ("sqs".to_owned(), "SendMessage".to_owned());
    Some(Call { service, operation, input })
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// As answers show it.
pub(crate) fn show(target: TargetRecord) -> Target {
    Target {
        arn: target.arn,
        role_arn: target.role_arn,
        input: target.input,
        dead_letter_config: target.dead_letter_arn.map(|arn| DeadLetterConfig { arn: Some(arn) }),
        retry_policy: Some(RetryPolicy {
            maximum_event_age_in_seconds: Some(target.retry_age_seconds),
            maximum_retry_attempts: Some(target.retry_attempts),
        }),
        sqs_parameters: target.group_id.map(|id| SqsParameters { message_group_id: Some(id) }),
        event_bridge_parameters: target
            .event
            .map(|(detail_type, source)| EventBridgeParameters { detail_type, source }),
        ..Target::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_of_a_function_is_written_as_it_is() {
        let target = TargetRecord {
            arn: "arn:aws:scheduler:::aws-sdk:lambda:invoke".to_owned(),
            role_arn: String::new(),
            input: Some(String::new()),
            group_id: None,
            event: None,
            dead_letter_arn: None,
            retry_attempts: 0,
            retry_age_seconds: 0,
        };
        let given = r#"{"FunctionName": "f", "Payload": "{\"a\": 1}"}"#;
        let called = call(&target, given, "id").unwrap();
        let expected = json!({"FunctionName": "f", "Payload": base64(br#"{"a": 1}"#)});
        assert_eq!(called.input, expected);
    }

    #[test]
    fn arns_say_what_is_called() {
        for (arn, expected) in [
            ("arn:aws:sqs:us-east-1:111122223333:q", "sqs SendMessage"),
            ("arn:aws:sns:us-east-1:111122223333:t", "sns Publish"),
            ("arn:aws:lambda:us-east-1:111122223333:function:f", "lambda Invoke"),
            ("arn:aws:events:us-east-1:111122223333:event-bus/b", "events PutEvents"),
            ("arn:aws:scheduler:::aws-sdk:sqs:purgeQueue", "sqs PurgeQueue"),
            ("arn:aws:scheduler:::aws-sdk:eventbridge:putEvents", "events PutEvents"),
        ] {
            let called = Called::of(arn).unwrap();
            assert_eq!(format!("{} {}", called.service(), called.operation()), expected);
        }
        for arn in [
            "",
            "arn:aws:s3:::bucket",
            "arn:aws:scheduler:::aws-sdk:sqs",
            "arn:aws:scheduler:::aws-sdk:sqs:SendMessage",
            "arn:aws:scheduler:::aws-sdk:sqs:send-message",
            "arn:aws:lambda:us-east-1:111122223333:layer:f",
        ] {
            assert_eq!(Called::of(arn), None, "{arn}");
        }
    }
}
