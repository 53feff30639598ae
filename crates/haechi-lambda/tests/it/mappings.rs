//! Event source mappings, and whose functions they run.

use std::time::Duration;

use haechi_lambda_model::ops::{
    CreateEventSourceMapping, CreateFunction, UpdateEventSourceMapping,
};
use haechi_lambda_model::shapes::{
    CreateEventSourceMappingRequest, UpdateEventSourceMappingRequest,
};

use crate::fixture::{ACCOUNT, Fixture, arn_of, new_function, queue_of};

fn mapping(function: &str) -> CreateEventSourceMappingRequest {
    CreateEventSourceMappingRequest {
        function_name: function.to_owned(),
        event_source_arn: Some(queue_of("orders")),
        ..Default::default()
    }
}

fn change(id: Option<&String>, function: Option<&str>) -> UpdateEventSourceMappingRequest {
    UpdateEventSourceMappingRequest {
        uuid: id.unwrap().clone(),
        function_name: function.map(str::to_owned),
        enabled: Some(true),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_mapping_gets_no_function_of_another_account() {
    let fixture = Fixture::new("own").await;
    let other = "444455556666";
    let owner = fixture.kit.root(other);
    fixture.done_as::<CreateFunction>(&owner, new_function(other, "vfun")).await;
    let made = fixture.done::<CreateEventSourceMapping>(mapping("own")).await;
    let missing = ("InvalidParameterValueException", "Function does not exist".to_owned());
    let theirs = format!("arn:aws:lambda:us-east-1:{other}:function:vfun");
    for name in [theirs, format!("{other}:function:vfun")] {
        let told = fixture.refused::<CreateEventSourceMapping>(mapping(&name)).await;
        assert_eq!(told, missing);
        let input = change(made.uuid.as_ref(), Some(&name));
        assert_eq!(fixture.refused::<UpdateEventSourceMapping>(input).await, missing);
    }
}

#[tokio::test]
async fn a_mapping_is_not_changed_to_a_function_that_a_policy_denies() {
    let fixture = Fixture::new("own").await;
    fixture.create("prod").await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}},
            {{"Effect": "Deny", "Action": "lambda:*", "Resource": "*",
              "Condition": {{"ArnLike": {{"lambda:FunctionArn": "{}"}}}}}}]}}"#,
        arn_of("prod")
    );
    let eve = fixture.kit.user(ACCOUNT, "eve", &[&policy]);
    let made = fixture.done_as::<CreateEventSourceMapping>(&eve, mapping("own")).await;
    let id = made.uuid.as_ref();
    for name in ["prod".to_owned(), arn_of("prod")] {
        let input = change(id, Some(&name));
        let (code, _) = fixture.refused_to::<UpdateEventSourceMapping>(&eve, input).await;
        assert_eq!(code, "AccessDeniedException", "{name}");
    }
    fixture.done_as::<UpdateEventSourceMapping>(&eve, change(id, None)).await;
    fixture.done_as::<UpdateEventSourceMapping>(&eve, change(id, Some("own"))).await;
}

#[tokio::test]
async fn who_waits_for_what_is_due_does_not_wait_for_queues() {
    let fixture = Fixture::new("own").await;
    fixture.done::<CreateEventSourceMapping>(mapping("own")).await;
    let due = tokio::time::timeout(Duration::from_secs(20), fixture.kit.jobs.run_due()).await;
    due.unwrap().unwrap();
}
