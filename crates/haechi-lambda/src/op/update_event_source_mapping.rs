//! `UpdateEventSourceMapping`.

use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::UpdateEventSourceMapping;
use haechi_lambda_model::shapes::{
    EventSourceMappingConfiguration, UpdateEventSourceMappingRequest,
};
use haechi_wire::Fault;

use crate::Lambda;
use crate::mapping::{Phase, Wishes, no_mapping, show};
use crate::op::create_event_source_mapping::refuse_of_streams;
use crate::reference::Reference;

impl Handle<UpdateEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateEventSourceMappingRequest,
    ) -> Result<EventSourceMappingConfiguration, Error> {
        let found = self.mapping_of(cx, &input.uuid, Facts::default()).await?;
        let found = found.ok_or_else(no_mapping)?;
        refuse(cx, &input)?;
        let mut mapping = found.value.clone();
        let mut batch = Batch::new();
        if let Some(name) = &input.function_name {
            let reference = Reference::of(cx, name, None)?;
            let (function, version) = self.mapped(&reference).await?;
            self.check_queue((&function, &version), &mapping.queue_arn).await?;
            batch.unchanged(&function.loaded);
            mapping.function_arn = reference.arn();
        }
        let wishes = Wishes {
            enabled: input.enabled,
            batch_size: input.batch_size,
            window_seconds: input.maximum_batching_window_in_seconds,
            filters: input.filter_criteria,
            responses: input.function_response_types,
            scaling: input.scaling_config,
        };
        wishes.apply(&mut mapping)?;
        mapping.modified_ms = cx.now().millis();
        mapping.generation = cx.env.uuid().map_err(Fault::internal)?.to_string();
        let phase = match (found.value.enabled, mapping.enabled) {
            (false, true) => Phase::Enabling,
            (true, false) => Phase::Disabling,
            _ => Phase::Updating,
        };
        batch.replace(&found, &mapping);
        mapping.poll_in(&mut batch, cx.now())?;
        self.database.commit(batch).await?;
        Ok(show(mapping, phase))
    }
}

/// Refuses what queues have not, and what haechi does not do.
fn refuse(cx: &Cx, input: &UpdateEventSourceMappingRequest) -> Result<(), Error> {
    let of_streams = [
        ("DestinationConfig", input.destination_config.is_some()),
        ("ParallelizationFactor", input.parallelization_factor.is_some()),
        ("MaximumRecordAgeInSeconds", input.maximum_record_age_in_seconds.is_some()),
        ("BisectBatchOnFunctionError", input.bisect_batch_on_function_error.is_some()),
        ("MaximumRetryAttempts", input.maximum_retry_attempts.is_some()),
        ("TumblingWindowInSeconds", input.tumbling_window_in_seconds.is_some()),
    ];
    refuse_of_streams(&of_streams)?;
    cx.refuse_parameters(&[
        ("KMSKeyArn", input.kms_key_arn.as_ref().is_some_and(|key| !key.is_empty())),
        ("MetricsConfig", input.metrics_config.is_some()),
        ("LoggingConfig", input.logging_config.is_some()),
        ("ProvisionedPollerConfig", input.provisioned_poller_config.is_some()),
        ("SourceAccessConfigurations", input.source_access_configurations.is_some()),
        ("DocumentDBEventSourceConfig", input.document_db_event_source_config.is_some()),
        (
            "AmazonManagedKafkaEventSourceConfig",
            input.amazon_managed_kafka_event_source_config.is_some(),
        ),
        (
            "SelfManagedKafkaEventSourceConfig",
            input.self_managed_kafka_event_source_config.is_some(),
        ),
    ])?;
    Ok(())
}
