//! Event source mappings: what can be set, checks, how they are shown.
//!
//! Sources of events here are SQS queues. Source of behaviour: API Reference,
//! CreateEventSourceMapping; recordings.

use haechi_core::{Batch, Cx, Facts, Job, Loaded};
use haechi_lambda_model::Error;
use haechi_lambda_model::shapes::{
    EventSourceMappingConfiguration, Filter, FilterCriteria, FunctionResponseType, ScalingConfig,
};
use haechi_wire::{Fault, Timestamp};

use crate::Lambda;
use crate::function::Function;
use crate::poll;
use crate::records::{QueueRefusal, is_pattern};
use crate::reference::Reference;
use crate::store::{MappingRecord, Place, Version};
use crate::words::{invalid, not_found};

/// Messages that are received in one go.
pub(crate) const RECEIVED_MAX: i32 = 10;

/// Filters of a mapping, at most (quota).
const FILTERS_MAX: usize = 10;

/// How far a change of a mapping is told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is in force.
    Done,
    /// In the answer to the call that makes it.
    Creating,
    /// In the answer to the call that changes it.
    Updating,
    /// As `Updating`, where it had been off.
    Enabling,
    /// As `Updating`, where it had been on.
    Disabling,
    /// In the answer to the call that ends it.
    Deleting,
}

/// What can be set on a mapping, as a request has it.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) enabled: Option<bool>,
    pub(crate) batch_size: Option<i32>,
    pub(crate) window_seconds: Option<i32>,
    pub(crate) filters: Option<FilterCriteria>,
    pub(crate) responses: Option<Vec<FunctionResponseType>>,
    pub(crate) scaling: Option<ScalingConfig>,
}

impl Wishes {
    /// Writes them into a mapping, if they fit its queue.
    pub(crate) fn apply(self, mapping: &mut MappingRecord) -> Result<(), Error> {
        mapping.enabled = self.enabled.unwrap_or(mapping.enabled);
        mapping.batch_size = self.batch_size.unwrap_or(mapping.batch_size);
        mapping.window_seconds = self.window_seconds.unwrap_or(mapping.window_seconds);
        if let Some(scaling) = self.scaling {
            mapping.concurrency_max = scaling.maximum_concurrency;
        }
        if let Some(responses) = self.responses {
            mapping.reports_failures =
                responses.contains(&FunctionResponseType::ReportBatchItemFailures);
        }
        if let Some(criteria) = self.filters {
            mapping.filters = patterns(criteria)?;
        }
        let is_fifo = mapping.queue_arn.ends_with(".fifo");
        if is_fifo && mapping.window_seconds > 0 {
            return Err(invalid("Batching window is not supported for FIFO queues"));
        }
        if is_fifo && mapping.batch_size > RECEIVED_MAX {
            return Err(invalid(format!(
                "Batch size for FIFO queues must be less than or equal to {RECEIVED_MAX}"
            )));
        }
        if mapping.batch_size > RECEIVED_MAX && mapping.window_seconds == 0 {
            return Err(invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is \
                 greater than 10",
            ));
        }
        Ok(())
    }
}

fn patterns(criteria: FilterCriteria) -> Result<Vec<String>, Error> {
    let filters = criteria.filters.unwrap_or_default();
    if filters.len() > FILTERS_MAX {
        return Err(invalid(format!("A mapping has {FILTERS_MAX} filters at the most.")));
    }
    let pattern = |filter: Filter| match filter.pattern {
        Some(text) if is_pattern(&text) => Ok(text),
        _ => Err(invalid("Invalid filter pattern definition.")),
    };
    filters.into_iter().map(pattern).collect()
}

/// That there is no such mapping.
pub(crate) fn no_mapping() -> Error {
    not_found("The resource you requested does not exist.")
}

/// What SQS refused, as Lambda tells it.
fn refused(refusal: QueueRefusal) -> Error {
    let QueueRefusal { operation, code, message } = refusal;
    if code.starts_with("AccessDenied") {
        return invalid(format!(
            "The provided execution role does not have permissions to call {operation} on SQS"
        ));
    }
    invalid(format!(
        "Error occurred while {operation}. SQS Error Code: {code}. SQS Error Message: {message}"
    ))
}

/// The ARN of a mapping.
pub(crate) fn arn(mapping: &MappingRecord) -> String {
    let MappingRecord { partition, region, account, id, .. } = mapping;
    format!("arn:{partition}:lambda:{region}:{account}:event-source-mapping:{id}")
}

/// The ARN of a mapping of the caller's that has this id.
pub(crate) fn arn_of(cx: &Cx, id: &str) -> String {
    cx.arn("lambda", &format!("event-source-mapping:{id}"))
}

/// What conditions see of a call that gives a mapping this function.
pub(crate) fn about(function: &Reference) -> Facts<'static> {
    Facts::default().with("lambda:functionarn", [function.arn()])
}

/// A mapping as AWS shows it.
pub(crate) fn show(mapping: MappingRecord, phase: Phase) -> EventSourceMappingConfiguration {
    let state = match phase {
        Phase::Creating | Phase::Updating | Phase::Done if !mapping.enabled => "Disabled",
        Phase::Creating => "Creating",
        Phase::Updating => "Updating",
        Phase::Enabling => "Enabling",
        Phase::Disabling => "Disabling",
        Phase::Deleting => "Deleting",
        Phase::Done => "Enabled",
    };
    let responses =
        mapping.reports_failures.then_some(FunctionResponseType::ReportBatchItemFailures);
    let filter = |pattern: &String| Filter { pattern: Some(pattern.clone()) };
    let filters: Vec<Filter> = mapping.filters.iter().map(filter).collect();
    EventSourceMappingConfiguration {
        event_source_mapping_arn: Some(arn(&mapping)),
        batch_size: Some(mapping.batch_size),
        maximum_batching_window_in_seconds: Some(mapping.window_seconds),
        last_modified: Some(Timestamp::from_millis(mapping.modified_ms)),
        state: Some(state.to_owned()),
        state_transition_reason: Some("USER_INITIATED".to_owned()),
        function_response_types: Some(responses.into_iter().collect()),
        filter_criteria: (!filters.is_empty()).then_some(FilterCriteria { filters: Some(filters) }),
        scaling_config: mapping
            .concurrency_max
            .map(|most| ScalingConfig { maximum_concurrency: Some(most) }),
        uuid: Some(mapping.id),
        event_source_arn: Some(mapping.queue_arn),
        function_arn: Some(mapping.function_arn),
        ..EventSourceMappingConfiguration::default()
    }
}

/// The id in the ARN of a mapping.
fn id_of(arn: &str) -> Option<&str> {
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "lambda", _, _, "event-source-mapping", id] => Some(id),
        _ => None,
    }
}

impl MappingRecord {
    /// The job that begins to poll.
    pub(crate) fn poll_in(&self, batch: &mut Batch, now: Timestamp) -> Result<(), Fault> {
        if self.enabled {
            let payload = poll::about(self)?;
            batch.schedule(&Job::at_once(poll::POLL, &self.generation, now, payload));
        }
        Ok(())
    }

    pub(crate) fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }
}

impl Lambda {
    /// The function that a mapping of an account is to hand messages to, and its version: nobody
    /// else's, as the mapping alone decides that it runs.
    pub(crate) async fn mapped(
        &self,
        account: &str,
        reference: &Reference,
    ) -> Result<(Function, Version), Error> {
        let missing = || invalid("Function does not exist");
        if reference.account != account {
            return Err(missing());
        }
        let function = self.load(reference).await?.ok_or_else(missing)?;
        match self.version(&function).await {
            Ok(version) => Ok((function, version)),
            Err(Error::ResourceNotFoundException(..)) => Err(missing()),
            Err(error) => Err(error),
        }
    }

    /// Refuses a queue that the function's role may not read, or whose messages come again before
    /// the function has ended.
    pub(crate) async fn check_queue(
        &self,
        (function, version): (&Function, &Version),
        queue_arn: &str,
    ) -> Result<(), Error> {
        let (source, region) = (function.reference.source()?, &function.reference.region);
        let queue = self.roles.queue(source, region, &version.role, queue_arn).await;
        let visible = queue.map_err(refused)?.check().await.map_err(refused)?;
        let timeout = i64::from(version.timeout);
        if visible < timeout {
            return Err(invalid(format!(
                "Queue visibility timeout: {visible} seconds is less than Function timeout: \
                 {timeout} seconds"
            )));
        }
        Ok(())
    }

    /// A mapping, if the caller may call this operation on it.
    pub(crate) async fn mapping_of(
        &self,
        cx: &Cx,
        id: &str,
        mut facts: Facts<'_>,
    ) -> Result<Option<Loaded<MappingRecord>>, Error> {
        let place = Place { account: cx.account().to_string(), region: cx.region.to_string() };
        let found = self.database.load::<MappingRecord>(&place.mapping(id)).await?;
        let arn = arn_of(cx, id);
        if let Some(found) = &found {
            facts
                .own
                .push(("lambda:functionarn".to_owned(), vec![found.value.function_arn.clone()]));
            facts.of_resource = Some(&found.value.tags);
            cx.authorize_knowing(&arn, &facts)?;
        } else {
            cx.authorize_knowing(&arn, &facts)?;
        }
        Ok(found)
    }

    /// The mapping of an ARN, whose tags a request is about; `None` if it is another thing's.
    pub(crate) async fn tagged_mapping(
        &self,
        cx: &Cx,
        arn: &str,
        facts: Facts<'_>,
    ) -> Result<Option<Loaded<MappingRecord>>, Error> {
        let Some(id) = id_of(arn) else { return Ok(None) };
        let own = arn.split(':').nth(4) == Some(cx.account().as_str())
            && arn.split(':').nth(3) == Some(cx.region.as_str());
        let missing = || not_found(format!("Event source mapping not found: {arn}"));
        let found = self.mapping_of(cx, id, facts).await?.filter(|_| own);
        found.map(Some).ok_or_else(missing)
    }
}
