//! Values that the model takes and Lambda does not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_lambda_model::ops::{CreateFunction, Invoke, UpdateFunctionConfiguration};
use haechi_lambda_model::shapes::{
    CreateFunctionRequest, EphemeralStorage, InvocationRequest, UpdateFunctionConfigurationRequest,
};

use crate::fixture::{ACCOUNT, Fixture, new_function};

#[tokio::test]
async fn memory_and_storage_are_bound_by_the_quota() {
    let fixture = Fixture::new("f").await;
    for (name, memory_size, storage) in
        [("MemorySize", Some(10_241), None), ("EphemeralStorage", None, Some(10_241))]
    {
        let ephemeral_storage = storage.map(|size| EphemeralStorage { size });
        let message = format!(
            "'{name}' value failed to satisfy constraint: Member must have value less than or \
             equal to 10240"
        );
        let told = ("ValidationException", message);
        let input = CreateFunctionRequest {
            memory_size,
            ephemeral_storage: ephemeral_storage.clone(),
            ..new_function(ACCOUNT, "g")
        };
        assert_eq!(fixture.refused::<CreateFunction>(input).await, told);
        let input = UpdateFunctionConfigurationRequest {
            function_name: "f".to_owned(),
            memory_size,
            ephemeral_storage,
            ..Default::default()
        };
        assert_eq!(fixture.refused::<UpdateFunctionConfiguration>(input).await, told);
    }
    let most = CreateFunctionRequest {
        memory_size: Some(10_240),
        ephemeral_storage: Some(EphemeralStorage { size: 10_240 }),
        ..new_function(ACCOUNT, "g")
    };
    fixture.done::<CreateFunction>(most).await;
}

#[tokio::test]
async fn a_clients_context_is_a_json_object_of_a_bound_length() {
    let fixture = Fixture::new("f").await;
    let no_object = "Client context must be a valid Base64-encoded JSON object.";
    let too_long = "Client context must be no longer than 3583 bytes.";
    let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(3000));
    for (context, message) in
        [(r#""text""#, no_object), ("[1]", no_object), ("{", no_object), (&long, too_long)]
    {
        let input = InvocationRequest {
            function_name: "f".to_owned(),
            client_context: Some(STANDARD.encode(context)),
            ..Default::default()
        };
        let told = fixture.refused::<Invoke>(input).await;
        assert_eq!(told, ("InvalidRequestContentException", message.to_owned()), "{context}");
    }
}
