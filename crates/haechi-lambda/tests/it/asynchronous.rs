//! Asynchronous invocations, and their rules.

use haechi_lambda_model::ops::{
    DeleteFunctionEventInvokeConfig, GetFunctionEventInvokeConfig, Invoke,
    ListFunctionEventInvokeConfigs, PutFunctionConcurrency, PutFunctionEventInvokeConfig,
    UpdateFunctionConfiguration, UpdateFunctionEventInvokeConfig,
};
use haechi_lambda_model::shapes::{
    DeadLetterConfig, DeleteFunctionEventInvokeConfigRequest, DestinationConfig,
    GetFunctionEventInvokeConfigRequest, InvocationRequest, InvocationType,
    ListFunctionEventInvokeConfigsRequest, OnFailure, PutFunctionConcurrencyRequest,
    PutFunctionEventInvokeConfigRequest, UpdateFunctionConfigurationRequest,
    UpdateFunctionEventInvokeConfigRequest,
};
use serde_json::{Value, json};

use crate::fixture::{Fixture, arn_of, queue_of};

fn failures_to(function: &str, destination: &str) -> PutFunctionEventInvokeConfigRequest {
    let on_failure = Some(OnFailure { destination: Some(destination.to_owned()) });
    PutFunctionEventInvokeConfigRequest {
        function_name: function.to_owned(),
        destination_config: Some(DestinationConfig { on_failure, ..Default::default() }),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_event_for_a_function_that_may_not_run_is_given_up_at_once() {
    let fixture = Fixture::new("f").await;
    let function_name = "f".to_owned();
    let input = failures_to("f", &queue_of("failures"));
    fixture.done::<PutFunctionEventInvokeConfig>(input).await;
    let dead = DeadLetterConfig { target_arn: Some(queue_of("dead")) };
    let input = UpdateFunctionConfigurationRequest {
        function_name: function_name.clone(),
        dead_letter_config: Some(dead),
        ..Default::default()
    };
    fixture.done::<UpdateFunctionConfiguration>(input).await;
    let input = PutFunctionConcurrencyRequest {
        function_name: function_name.clone(),
        reserved_concurrent_executions: 0,
    };
    fixture.done::<PutFunctionConcurrency>(input).await;
    let input = InvocationRequest {
        function_name,
        invocation_type: Some(InvocationType::Event),
        ..Default::default()
    };
    assert_eq!(fixture.done::<Invoke>(input).await.status_code, Some(202));
    fixture.kit.jobs.run_due().await.unwrap();
    let sent = fixture.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], (queue_of("dead"), "{}".to_owned()));
    assert_eq!(sent[1].0, queue_of("failures"));
    let mut record: Value = serde_json::from_str(&sent[1].1).unwrap();
    let id = record["requestContext"]["requestId"].take();
    assert!(id.is_string() && record["timestamp"].take().is_string());
    assert_eq!(
        record,
        json!({
            "version": "1.0",
            "timestamp": null,
            "requestContext": {
                "requestId": null,
                "functionArn": arn_of("f:$LATEST"),
                "condition": "ZeroReservedConcurrency",
                "approximateInvokeCount": 0,
            },
            "requestPayload": {},
        })
    );
    fixture.kit.clock.advance(7 * 3600);
    fixture.kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.sent().len(), 2, "it is not tried again");
}

#[tokio::test]
async fn a_function_is_no_destination_of_its_own_and_another_of_a_longer_name_is_one() {
    let fixture = Fixture::new("p-x").await;
    fixture.create("p-x0").await;
    let put = |name: &str| failures_to("p-x", &arn_of(name));
    fixture.done::<PutFunctionEventInvokeConfig>(put("p-x0")).await;
    for own in ["p-x", "p-x:live"] {
        let told = fixture.refused::<PutFunctionEventInvokeConfig>(put(own)).await;
        let message = "You can't specify the function as a destination for itself.";
        assert_eq!(told, ("InvalidParameterValueException", message.to_owned()));
    }
}

#[tokio::test]
async fn rules_of_what_is_not_there_are_refused_as_recorded() {
    let fixture = Fixture::new("f").await;
    let gone = || "doesnotexist".to_owned();
    let missing = ("ResourceNotFoundException", "The function doesn't exist.".to_owned());
    let put = |function_name, qualifier| PutFunctionEventInvokeConfigRequest {
        function_name,
        qualifier,
        maximum_retry_attempts: Some(1),
        ..Default::default()
    };
    for input in [put(gone(), None), put("f".to_owned(), Some(gone()))] {
        assert_eq!(fixture.refused::<PutFunctionEventInvokeConfig>(input).await, missing);
    }
    let input =
        UpdateFunctionEventInvokeConfigRequest { function_name: gone(), ..Default::default() };
    assert_eq!(fixture.refused::<UpdateFunctionEventInvokeConfig>(input).await, missing);
    let input =
        ListFunctionEventInvokeConfigsRequest { function_name: gone(), ..Default::default() };
    assert_eq!(fixture.refused::<ListFunctionEventInvokeConfigs>(input).await, missing);

    let arn = arn_of("doesnotexist:$LATEST");
    let message = format!("The function {arn} doesn't have an EventInvokeConfig");
    let none = ("ResourceNotFoundException", message);
    let input = GetFunctionEventInvokeConfigRequest { function_name: gone(), ..Default::default() };
    assert_eq!(fixture.refused::<GetFunctionEventInvokeConfig>(input).await, none);
    let input =
        DeleteFunctionEventInvokeConfigRequest { function_name: gone(), ..Default::default() };
    assert_eq!(fixture.refused::<DeleteFunctionEventInvokeConfig>(input).await, none);
}
