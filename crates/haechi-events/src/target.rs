//! Targets: what is accepted, how they are shown.

use haechi_core::Cx;
use haechi_events_model::Error;
use haechi_events_model::shapes::{
    DeadLetterConfig, HttpParameters, InputTransformer, RetryPolicy, SqsParameters, Target,
};

use crate::bus::invalid;
use crate::delivery::Targets;
use crate::matching::Bus;
use crate::store::{HttpRecord, TargetRecord, Transformer};
use crate::{api_destination, transform};

/// Targets of a rule, at most.
pub(crate) const TARGETS_MAX: usize = 5;

/// Checks a target, but for its role.
pub(crate) fn accept(
    cx: &Cx,
    targets: &dyn Targets,
    target: Target,
) -> Result<TargetRecord, Error> {
    let id = &target.id;
    let service = target.arn.split(':').nth(2).unwrap_or_default();
    let is_queue = service == "sqs";
    let bus = Bus::parse(&target.arn);
    let is_http = api_destination::is_one(&target.arn);
    if !is_arn(cx, &target.arn) {
        let arn = &target.arn;
        return Err(invalid(format!(
            "Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        )));
    }
    cx.refuse_parameters(&[
        ("EcsParameters", target.ecs_parameters.is_some()),
        ("KinesisParameters", target.kinesis_parameters.is_some()),
        ("RunCommandParameters", target.run_command_parameters.is_some()),
        ("BatchParameters", target.batch_parameters.is_some()),
        ("HttpParameters", target.http_parameters.is_some() && !is_http),
        ("RedshiftDataParameters", target.redshift_data_parameters.is_some()),
        ("SageMakerPipelineParameters", target.sage_maker_pipeline_parameters.is_some()),
        ("AppSyncParameters", target.app_sync_parameters.is_some()),
    ])?;
    if !(bus.is_some() || is_http || targets.has(service)) {
        return Err(cx.unsupported_parameter(&format!("Arn={}", target.arn)).into());
    }
    // Only where the other account's policy can decide without one.
    let is_own_elsewhere =
        bus.as_ref().is_some_and(|bus| bus.account == *cx.account() && bus.region != cx.region);
    if (is_own_elsewhere || is_http) && target.role_arn.is_none() {
        return Err(invalid(format!("RoleArn is required for target {}.", target.arn)));
    }
    if is_http {
        api_destination::require_own(cx, &target.arn)?;
    }
    check_input(&target, bus.is_some_and(|bus| bus.account != *cx.account()))?;
    let group_id = target.sqs_parameters.and_then(|parameters| parameters.message_group_id);
    if is_queue && target.arn.ends_with(".fifo") && group_id.is_none() {
        return Err(invalid(format!(
            "Parameter(s) SqsParameters must be specified for target: {id}."
        )));
    }
    let transformer = target.input_transformer.map(|transformer| transformer_of(id, transformer));
    let retry = target.retry_policy;
    Ok(TargetRecord {
        transformer: transformer.transpose()?,
        arn: target.arn,
        role_arn: target.role_arn,
        input: target.input,
        input_path: target.input_path,
        group_id,
        dead_letter_arn: target.dead_letter_config.and_then(|config| config.arn),
        retry_attempts: retry.as_ref().and_then(|retry| retry.maximum_retry_attempts),
        retry_age_seconds: retry.as_ref().and_then(|retry| retry.maximum_event_age_in_seconds),
        http: is_http.then(|| http_of(target.http_parameters.unwrap_or_default())),
        id: target.id,
    })
}

/// Checks what a target is to get in place of the event.
fn check_input(target: &Target, is_bus_of_another: bool) -> Result<(), Error> {
    let id = &target.id;
    let given = [
        ("Input", target.input.is_some()),
        ("InputPath", target.input_path.is_some()),
        ("InputTransformer", target.input_transformer.is_some()),
    ];
    let mut given = given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name));
    if let Some(name) = given.next()
        && is_bus_of_another
    {
        return Err(invalid(format!(
            "{name} is not available for target {id}: it is an event bus of a different account."
        )));
    }
    if given.next().is_some() {
        return Err(invalid(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        )));
    }
    if let Some(input) = &target.input
        && serde_json::from_str::<serde_json::Value>(input).is_err()
    {
        return Err(invalid(format!("Parameter Input for target {id} is not valid JSON text.")));
    }
    Ok(())
}

/// Whether a text has all parts of an ARN of the partition.
fn is_arn(cx: &Cx, text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.next() == Some(cx.region.partition())
        && parts.nth(3).is_some_and(|resource| !resource.is_empty())
}

/// Whether a target is a bus of an account that is not the caller's.
pub(crate) fn is_bus_of_another(cx: &Cx, target: &TargetRecord) -> bool {
    Bus::parse(&target.arn).is_some_and(|bus| bus.account != *cx.account())
}

fn http_of(given: HttpParameters) -> HttpRecord {
    HttpRecord {
        path: given.path_parameter_values.unwrap_or_default(),
        headers: given.header_parameters.unwrap_or_default(),
        query: given.query_string_parameters.unwrap_or_default(),
    }
}

fn show_http(http: HttpRecord) -> Option<HttpParameters> {
    (http != HttpRecord::default()).then(|| HttpParameters {
        path_parameter_values: Some(http.path).filter(|path| !path.is_empty()),
        header_parameters: Some(http.headers).filter(|headers| !headers.is_empty()),
        query_string_parameters: Some(http.query).filter(|query| !query.is_empty()),
    })
}

fn transformer_of(id: &str, given: InputTransformer) -> Result<Transformer, Error> {
    let (paths, template) = (given.input_paths_map.unwrap_or_default(), given.input_template);
    for placeholder in transform::placeholders(&template) {
        if !paths.contains_key(placeholder) && !transform::RESERVED.contains(&placeholder) {
            return Err(invalid(format!(
                "InputTemplate for target {id} contains invalid placeholder {placeholder}."
            )));
        }
    }
    Ok(Transformer { paths, template })
}

/// As answers show it.
pub(crate) fn show(target: TargetRecord) -> Target {
    let retry = RetryPolicy {
        maximum_retry_attempts: target.retry_attempts,
        maximum_event_age_in_seconds: target.retry_age_seconds,
    };
    let has_retry = target.retry_attempts.is_some() || target.retry_age_seconds.is_some();
    let transformer = target.transformer.map(|transformer| InputTransformer {
        input_paths_map: Some(transformer.paths).filter(|paths| !paths.is_empty()),
        input_template: transformer.template,
    });
    Target {
        id: target.id,
        arn: target.arn,
        role_arn: target.role_arn,
        input: target.input,
        input_path: target.input_path,
        input_transformer: transformer,
        sqs_parameters: target.group_id.map(|id| SqsParameters { message_group_id: Some(id) }),
        dead_letter_config: target.dead_letter_arn.map(|arn| DeadLetterConfig { arn: Some(arn) }),
        retry_policy: has_retry.then_some(retry),
        http_parameters: target.http.and_then(show_http),
        ..Target::default()
    }
}
