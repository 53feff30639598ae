//! `PutFunctionEventInvokeConfig`.

use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::PutFunctionEventInvokeConfig;
use haechi_lambda_model::shapes::{
    DestinationConfig, FunctionEventInvokeConfig, OnFailure, OnSuccess,
    PutFunctionEventInvokeConfigRequest,
};
use haechi_wire::Timestamp;

use crate::Lambda;
use crate::function::Function;
use crate::reference::LATEST;
use crate::store::EventInvoke;
use crate::words::{invalid, not_found};

impl Handle<PutFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutFunctionEventInvokeConfigRequest,
    ) -> Result<FunctionEventInvokeConfig, Error> {
        let given = input.qualifier.as_deref();
        let (mut function, _) = self.function(cx, &input.function_name, given).await?;
        if input.maximum_retry_attempts.is_none()
            && input.maximum_event_age_in_seconds.is_none()
            && input.destination_config.is_none()
        {
            return Err(invalid(
                "You must specify at least one of error handling or destination setting.",
            ));
        }
        self.version(&function).await?;
        let (on_success, on_failure) = destinations(cx, &function, input.destination_config)?;
        let rules = EventInvoke {
            retries: input.maximum_retry_attempts,
            age_seconds: input.maximum_event_age_in_seconds,
            on_success,
            on_failure,
            modified_ms: cx.now().millis(),
        };
        let key = rules_key(&function);
        let answer = show_rules(&function, &key, &rules);
        function.record.event_invoke.insert(key, rules);
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(answer)
    }
}

/// Under what the rules of what is named stand.
pub(super) fn rules_key(function: &Function) -> String {
    function.reference.qualifier.clone().unwrap_or_else(|| LATEST.to_owned())
}

/// That there are no rules.
pub(super) fn no_rules(function: &Function) -> Error {
    let arn = function.reference.version_arn(&rules_key(function));
    not_found(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

/// Queues of a request, if they are queues.
pub(super) fn destinations(
    cx: &Cx,
    function: &Function,
    given: Option<DestinationConfig>,
) -> Result<(Option<String>, Option<String>), Error> {
    let given = given.unwrap_or_default();
    let success = given.on_success.and_then(|one| one.destination).filter(|arn| !arn.is_empty());
    let failure = given.on_failure.and_then(|one| one.destination).filter(|arn| !arn.is_empty());
    for arn in success.iter().chain(&failure) {
        if arn.starts_with(&function.reference.function_arn()) {
            return Err(invalid("You can't specify the function as a destination for itself."));
        }
        if arn.split(':').nth(2) != Some("sqs") {
            return Err(cx.unsupported_parameter("a DestinationConfig other than of SQS").into());
        }
    }
    Ok((success, failure))
}

/// Rules as AWS shows them.
pub(super) fn show_rules(
    function: &Function,
    qualifier: &str,
    rules: &EventInvoke,
) -> FunctionEventInvokeConfig {
    FunctionEventInvokeConfig {
        last_modified: Some(Timestamp::from_millis(rules.modified_ms)),
        function_arn: Some(function.reference.version_arn(qualifier)),
        maximum_retry_attempts: rules.retries,
        maximum_event_age_in_seconds: rules.age_seconds,
        destination_config: Some(DestinationConfig {
            on_success: Some(OnSuccess { destination: rules.on_success.clone() }),
            on_failure: Some(OnFailure { destination: rules.on_failure.clone() }),
        }),
    }
}
