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
use crate::function::{Function, Named};
use crate::reference::{LATEST, Reference};
use crate::store::EventInvoke;
use crate::words::{invalid, not_found};

impl Handle<PutFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutFunctionEventInvokeConfigRequest,
    ) -> Result<FunctionEventInvokeConfig, Error> {
        let given = input.qualifier.as_deref();
        let named = Named::Qualified(&input.function_name, given);
        let mut function = self.function_or(cx, named, |_| no_such()).await?;
        if input.maximum_retry_attempts.is_none()
            && input.maximum_event_age_in_seconds.is_none()
            && input.destination_config.is_none()
        {
            return Err(invalid(
                "You must specify at least one of error handling or destination setting.",
            ));
        }
        self.version(&function).await.map_err(|error| match error {
            Error::ResourceNotFoundException(..) => no_such(),
            error => error,
        })?;
        let (on_success, on_failure) =
            self.destinations(cx, &function, input.destination_config).await?;
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
pub(super) fn no_rules(reference: &Reference) -> Error {
    let arn = reference.qualified_arn();
    not_found(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

/// That there is nothing that could have rules.
pub(super) fn no_such() -> Error {
    not_found("The function doesn't exist.")
}

/// Where records of a request go: of success, of failure.
pub(super) type Destinations = (Option<String>, Option<String>);

/// Services to which records go.
const TAKERS: [&str; 4] = ["sqs", "sns", "lambda", "events"];

impl Lambda {
    /// The destinations of a request, if records can go there.
    pub(super) async fn destinations(
        &self,
        cx: &Cx,
        function: &Function,
        given: Option<DestinationConfig>,
    ) -> Result<Destinations, Error> {
        let given = given.unwrap_or_default();
        let success = given.on_success.and_then(|one| one.destination);
        let success = success.filter(|arn| !arn.is_empty());
        let failure = given.on_failure.and_then(|one| one.destination);
        let failure = failure.filter(|arn| !arn.is_empty());
        let own = function.reference.function_arn();
        for arn in success.iter().chain(&failure) {
            let behind = arn.strip_prefix(&own);
            if behind.is_some_and(|rest| rest.is_empty() || rest.starts_with(':')) {
                return Err(invalid("You can't specify the function as a destination for itself."));
            }
            match arn.split(':').nth(2).unwrap_or_default() {
                "lambda" => self.check_target(arn).await?,
                "s3" => {
                    return Err(cx.unsupported_parameter(&format!("Destination={arn}")).into());
                }
                taker if TAKERS.contains(&taker) => {}
                _ => return Err(no_takers(success.as_deref(), failure.as_deref())),
            }
        }
        Ok((success, failure))
    }

    async fn check_target(&self, arn: &str) -> Result<(), Error> {
        let found = match Reference::parse(arn) {
            Some(reference) => self.load(&reference).await?,
            None => None,
        };
        match found {
            Some(_) => Ok(()),
            None => Err(invalid(format!("The destination ARN {arn} is invalid."))),
        }
    }
}

/// That no service takes records there, in the words of AWS.
fn no_takers(success: Option<&str>, failure: Option<&str>) -> Error {
    let told = |name: &str, arn: Option<&str>| match arn {
        Some(arn) => format!("{name}(destination={arn})"),
        None => "null".to_owned(),
    };
    invalid(format!(
        "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
        told("OnSuccess", success),
        told("OnFailure", failure)
    ))
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
