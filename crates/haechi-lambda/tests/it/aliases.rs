//! Aliases with two versions.

use std::collections::BTreeMap;

use haechi_lambda_model::ops::{
    CreateAlias, GetFunction, GetFunctionConfiguration, Invoke, PutFunctionConcurrency, UpdateAlias,
};
use haechi_lambda_model::shapes::{
    AliasRoutingConfiguration, CreateAliasRequest, GetFunctionConfigurationRequest,
    GetFunctionRequest, InvocationRequest, InvocationType, PutFunctionConcurrencyRequest,
    UpdateAliasRequest,
};

use crate::fixture::{Fixture, arn_of, queue_of};

fn routing(weight: f64) -> Option<AliasRoutingConfiguration> {
    let weights = BTreeMap::from([("2".to_owned(), weight)]);
    Some(AliasRoutingConfiguration { additional_version_weights: Some(weights) })
}

fn alias(function: &str, weight: f64) -> CreateAliasRequest {
    CreateAliasRequest {
        function_name: function.to_owned(),
        name: "live".to_owned(),
        function_version: "1".to_owned(),
        routing_config: routing(weight),
        ..Default::default()
    }
}

async fn with_two_versions() -> Fixture {
    let fixture = Fixture::new("f").await;
    fixture.publish("f", 10, "of-first").await;
    fixture.publish("f", 20, "of-second").await;
    fixture
}

#[tokio::test]
async fn a_share_is_from_nought_to_one() {
    let fixture = with_two_versions().await;
    let refused = |shown: &str| {
        let message = format!(
            "1 validation error detected: Value '{{2={shown}}}' at \
             'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must \
             satisfy constraint: [Member must have value less than or equal to 1.0, Member must \
             have value greater than or equal to 0.0, Member must not be null]"
        );
        ("ValidationException", message)
    };
    for (weight, shown) in [(2.0, "2.0"), (-1.0, "-1.0")] {
        assert_eq!(fixture.refused::<CreateAlias>(alias("f", weight)).await, refused(shown));
    }
    fixture.done::<CreateAlias>(alias("f", 0.5)).await;
    for (weight, shown) in [(1.5, "1.5"), (f64::NAN, "NaN")] {
        let input = UpdateAliasRequest {
            function_name: "f".to_owned(),
            name: "live".to_owned(),
            routing_config: routing(weight),
            ..Default::default()
        };
        assert_eq!(fixture.refused::<UpdateAlias>(input).await, refused(shown));
    }
}

#[tokio::test]
async fn who_reads_an_alias_sees_its_own_version_whatever_the_weights() {
    let fixture = with_two_versions().await;
    fixture.done::<CreateAlias>(alias("f", 1.0)).await;
    let (function_name, qualifier) = ("f".to_owned(), Some("live".to_owned()));
    let input = GetFunctionRequest { function_name, qualifier };
    let read = fixture.done::<GetFunction>(input).await.configuration.unwrap();
    assert_eq!(read.version.as_deref(), Some("1"));
    let (function_name, qualifier) = ("f".to_owned(), Some("live".to_owned()));
    let input = GetFunctionConfigurationRequest { function_name, qualifier };
    let read = fixture.done::<GetFunctionConfiguration>(input).await;
    assert_eq!(read.version.as_deref(), Some("1"));
}

#[tokio::test]
async fn who_invokes_an_alias_reaches_a_version_by_the_weights() {
    for (weight, queue) in [(0.0, "of-first"), (1.0, "of-second")] {
        let fixture = with_two_versions().await;
        fixture.done::<CreateAlias>(alias("f", weight)).await;
        // Where nothing may run, the version shows in what is done with the event.
        let (function_name, reserved_concurrent_executions) = ("f".to_owned(), 0);
        let input = PutFunctionConcurrencyRequest { function_name, reserved_concurrent_executions };
        fixture.done::<PutFunctionConcurrency>(input).await;
        let input = InvocationRequest {
            function_name: "f:live".to_owned(),
            invocation_type: Some(InvocationType::Event),
            ..Default::default()
        };
        fixture.done::<Invoke>(input).await;
        fixture.kit.jobs.run_due().await.unwrap();
        assert_eq!(fixture.sent(), [(queue_of(queue), "{}".to_owned())]);
    }
}

#[tokio::test]
async fn an_alias_of_no_function_is_told_by_its_version() {
    let fixture = Fixture::new("f").await;
    let told = fixture.refused::<CreateAlias>(alias("f-unknown", 0.5)).await;
    let message = format!("Function not found: {}", arn_of("f-unknown:1"));
    assert_eq!(told, ("ResourceNotFoundException", message));
}
