//! `CreateEventSourceMapping`: of queues.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::CreateEventSourceMapping;
use haechi_lambda_model::shapes::{
    CreateEventSourceMappingRequest, EventSourceMappingConfiguration,
};
use haechi_wire::Fault;

use crate::Lambda;
use crate::mapping::{Phase, Wishes, about, arn_of, show};
use crate::op::tag_resource::check_tags;
use crate::reference::Reference;
use crate::store::MappingRecord;
use crate::words::{conflict, invalid};

/// Messages of a batch, unless the request says otherwise.
const BATCH_SIZE: i32 = 10;

/// Refuses what queues have not, and what haechi does not do. A macro, for the requests to create and
/// to update are types of their own with the same members.
macro_rules! refuse_what_queues_have_not {
    ($cx:expr, $input:expr) => {{
        let of_streams = [
            ("DestinationConfig", $input.destination_config.is_some()),
            ("ParallelizationFactor", $input.parallelization_factor.is_some()),
            ("MaximumRecordAgeInSeconds", $input.maximum_record_age_in_seconds.is_some()),
            ("BisectBatchOnFunctionError", $input.bisect_batch_on_function_error.is_some()),
            ("MaximumRetryAttempts", $input.maximum_retry_attempts.is_some()),
            ("TumblingWindowInSeconds", $input.tumbling_window_in_seconds.is_some()),
        ];
        $crate::op::create_event_source_mapping::refuse_of_streams(&of_streams)?;
        $cx.refuse_parameters(&[
            ("KMSKeyArn", $input.kms_key_arn.as_ref().is_some_and(|key| !key.is_empty())),
            ("MetricsConfig", $input.metrics_config.is_some()),
            ("LoggingConfig", $input.logging_config.is_some()),
            ("ProvisionedPollerConfig", $input.provisioned_poller_config.is_some()),
            ("SourceAccessConfigurations", $input.source_access_configurations.is_some()),
            ("DocumentDBEventSourceConfig", $input.document_db_event_source_config.is_some()),
            (
                "AmazonManagedKafkaEventSourceConfig",
                $input.amazon_managed_kafka_event_source_config.is_some(),
            ),
            (
                "SelfManagedKafkaEventSourceConfig",
                $input.self_managed_kafka_event_source_config.is_some(),
            ),
        ])?;
    }};
}
pub(super) use refuse_what_queues_have_not;

impl Handle<CreateEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateEventSourceMappingRequest,
    ) -> Result<EventSourceMappingConfiguration, Error> {
        let reference = Reference::of(cx, &input.function_name, None)?;
        let facts = about(&reference).and_putting(input.tags.iter().flatten());
        cx.authorize_knowing("*", &facts)?;
        let id = cx.env.uuid().map_err(Fault::internal)?.to_string();
        cx.authorize_tagging("lambda:TagResource", &arn_of(cx, &id), &facts)?;
        let queue_arn = queue_arn(cx, &input)?;
        refuse_what_queues_have_not!(cx, &input);
        cx.refuse_parameters(&[
            ("Topics", input.topics.is_some()),
            ("Queues", input.queues.is_some()),
            ("SelfManagedEventSource", input.self_managed_event_source.is_some()),
        ])?;
        let (function, version) = self.mapped(cx.account().as_str(), &reference).await?;
        let tags = input.tags.unwrap_or_default();
        check_tags(&tags)?;
        let mut mapping = MappingRecord {
            id,
            generation: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            partition: reference.partition.clone(),
            account: reference.account.clone(),
            region: reference.region.clone(),
            function_arn: reference.arn(),
            queue_arn,
            enabled: true,
            batch_size: BATCH_SIZE,
            window_seconds: 0,
            reports_failures: false,
            filters: Vec::new(),
            concurrency_max: None,
            modified_ms: cx.now().millis(),
            tags,
            unknown: Unknown::new(),
        };
        let wishes = Wishes {
            enabled: input.enabled,
            batch_size: input.batch_size,
            window_seconds: input.maximum_batching_window_in_seconds,
            filters: input.filter_criteria,
            responses: input.function_response_types,
            scaling: input.scaling_config,
        };
        wishes.apply(&mut mapping)?;
        self.check_queue((&function, &version), &mapping.queue_arn).await?;
        self.check_only(&mapping, &reference).await?;
        let mut batch = Batch::new();
        batch.unchanged(&function.loaded);
        batch.create(mapping.place().mapping(&mapping.id), &mapping);
        mapping.poll_in(&mut batch, cx.now())?;
        self.database.commit(batch).await?;
        Ok(show(mapping, Phase::Creating))
    }
}

impl Lambda {
    /// Refuses a second mapping of a queue to a function.
    async fn check_only(
        &self,
        mapping: &MappingRecord,
        reference: &Reference,
    ) -> Result<(), Error> {
        let all = self.database.list_all::<MappingRecord>(&mapping.place().mappings()).await?;
        let same = |one: &MappingRecord| {
            one.queue_arn == mapping.queue_arn && one.function_arn == mapping.function_arn
        };
        let Some(other) = all.iter().find(|one| same(&one.value)) else { return Ok(()) };
        Err(conflict(format!(
            "An event source mapping with SQS arn (\" {} \") and function (\" {} \") already \
             exists. Please update or delete the existing mapping with UUID {}",
            mapping.queue_arn, reference.name, other.value.id
        )))
    }
}

/// Where to begin in a stream: at a time.
const AT_TIMESTAMP: &str = "AT_TIMESTAMP";

/// Refuses a beginning that there is not, in the order of words that AWS was recorded with.
fn check_position(given: Option<&str>) -> Result<(), Error> {
    match given.filter(|one| !["LATEST", AT_TIMESTAMP, "TRIM_HORIZON"].contains(one)) {
        Some(other) => Err(Fault::Validation(format!(
            "1 validation error detected: Value '{other}' at 'startingPosition' failed to satisfy \
             constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"
        ))
        .into()),
        None => Ok(()),
    }
}

/// The queue of a request, if it names one; streams are looked at as far as they can be.
fn queue_arn(cx: &Cx, input: &CreateEventSourceMappingRequest) -> Result<String, Error> {
    check_position(input.starting_position.as_deref())?;
    let Some(arn) = input.event_source_arn.clone() else {
        cx.refuse_parameters(&[(
            "SelfManagedEventSource",
            input.self_managed_event_source.is_some(),
        )])?;
        return Err(invalid("Unrecognized event source."));
    };
    let service = arn.split(':').nth(2).unwrap_or_default();
    let position = input.starting_position.as_deref();
    match service {
        "sqs" if position.is_some() || input.starting_position_timestamp.is_some() => {
            Err(invalid("StartingPosition is not valid for SQS event sources."))
        }
        "sqs" if arn.split(':').nth(3) != Some(cx.region.as_str()) => {
            Err(invalid("The queue and the function must be in the same Region."))
        }
        "sqs" => Ok(arn),
        "kinesis" | "dynamodb" if position.is_none() => Err(invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy \
             constraint: Member must not be null.",
        )),
        "kinesis" | "dynamodb"
            if input.starting_position_timestamp.is_some() && position != Some(AT_TIMESTAMP) =>
        {
            Err(invalid("Timestamp only valid with StartingPosition AT_TIMESTAMP"))
        }
        "dynamodb" if position == Some(AT_TIMESTAMP) => {
            Err(invalid(format!("Unsupported starting position for arn type: {arn}")))
        }
        _ => Err(cx.unsupported_parameter("EventSourceArn other than of SQS").into()),
    }
}

/// Refuses parameters that streams alone have.
pub(super) fn refuse_of_streams(given: &[(&str, bool)]) -> Result<(), Error> {
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(invalid(format!(
            "Unsupported {name} parameter for given event source mapping type."
        ))),
        None => Ok(()),
    }
}
