//! Versions: when there is a new one, and when one cannot go.

use haechi_lambda_model::ops::{
    AddPermission, CreateAlias, DeleteFunction, PublishVersion, UpdateFunctionCode,
    UpdateFunctionConfiguration,
};
use haechi_lambda_model::shapes::{
    AddPermissionRequest, AliasRoutingConfiguration, CreateAliasRequest, DeleteFunctionRequest,
    PublishVersionRequest, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest,
};

use crate::fixture::{Fixture, archive};

/// Publishes; answers the version.
async fn published(fixture: &Fixture) -> String {
    let input = PublishVersionRequest { function_name: "f".to_owned(), ..Default::default() };
    fixture.done::<PublishVersion>(input).await.version.unwrap()
}

#[tokio::test]
async fn there_is_a_new_version_after_an_update_whatever_it_changed() {
    let fixture = Fixture::new("f").await;
    assert_eq!(published(&fixture).await, "1");
    assert_eq!(published(&fixture).await, "1");
    let same_code = UpdateFunctionCodeRequest {
        function_name: "f".to_owned(),
        zip_file: archive(&["index.py"]).zip_file,
        ..Default::default()
    };
    fixture.done::<UpdateFunctionCode>(same_code).await;
    assert_eq!(published(&fixture).await, "2");
    for number in ["3", "4"] {
        let described = UpdateFunctionConfigurationRequest {
            function_name: "f".to_owned(),
            description: Some("d".to_owned()),
            ..Default::default()
        };
        fixture.done::<UpdateFunctionConfiguration>(described).await;
        assert_eq!(published(&fixture).await, number);
    }
    let permission = AddPermissionRequest {
        function_name: "f".to_owned(),
        statement_id: "s".to_owned(),
        action: "lambda:InvokeFunction".to_owned(),
        principal: "sns.amazonaws.com".to_owned(),
        ..Default::default()
    };
    fixture.done::<AddPermission>(permission).await;
    assert_eq!(published(&fixture).await, "4", "neither code nor configuration");
}

#[tokio::test]
async fn a_version_stays_while_aliases_name_it_and_all_of_them_are_told() {
    let fixture = Fixture::new("f").await;
    fixture.publish("f", 10, "dead").await;
    fixture.publish("f", 20, "dead").await;
    let weights = [("2".to_owned(), 0.5)].into_iter().collect();
    let routing = AliasRoutingConfiguration { additional_version_weights: Some(weights) };
    for (name, version, routing_config) in
        [("test", "1", Some(routing)), ("live", "2", None), ("old", "1", None)]
    {
        let input = CreateAliasRequest {
            function_name: "f".to_owned(),
            name: name.to_owned(),
            function_version: version.to_owned(),
            routing_config,
            ..Default::default()
        };
        fixture.done::<CreateAlias>(input).await;
    }
    let (function_name, qualifier) = ("f".to_owned(), Some("2".to_owned()));
    let input = DeleteFunctionRequest { function_name, qualifier };
    let told = fixture.refused::<DeleteFunction>(input).await;
    let message =
        "Unable to delete version because the following aliases reference it: [live, test]";
    assert_eq!(told, ("ResourceConflictException", message.to_owned()));
}
