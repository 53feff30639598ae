//! The public namespace, and secrets read as parameters.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::Cx;
use haechi_secretsmanager_model::shapes::{GetSecretValueRequest, GetSecretValueResponse};
use haechi_ssm::{PublicParameters, Secrets};
use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;
use haechi_wire::{Problem, SecretString, Timestamp};

use crate::world::{ACCOUNT, World, code, words};

const FILE: &str = r#"{
    "/aws/service/ami/latest": {"us-east-1": "ami-0123456789abcdef0", "eu-west-1": "ami-1"},
    "/aws/service/ami/older/1": "ami-2",
    "/aws/service/version": "7" }"#;

async fn world() -> World {
    let public = PublicParameters::parse(FILE, Timestamp::from_seconds(7)).unwrap();
    World::with(|ssm| ssm.with_public_parameters(public)).await
}

#[tokio::test]
async fn public_parameters_are_read_by_every_account() {
    let world = world().await;
    let image = world.get("/aws/service/ami/latest").await.unwrap();
    assert_eq!(image.value.unwrap().0, "ami-0123456789abcdef0");
    assert_eq!(image.data_type.as_deref(), Some("aws:ec2:image"));
    let arn = "arn:aws:ssm:us-east-1::parameter/aws/service/ami/latest";
    assert_eq!(image.arn.as_deref(), Some(arn));
    assert_eq!(code(world.get("/aws/service/none").await), "ParameterNotFound");
    let names = ["/aws/service/version", "/aws/service/none"].map(str::to_owned).to_vec();
    let input = GetParametersRequest { names, with_decryption: None };
    let read = world.call::<ops::GetParameters>(input).await.unwrap();
    assert_eq!(read.parameters.unwrap().len(), 1);
    assert_eq!(read.invalid_parameters.unwrap(), ["/aws/service/none"]);
}

#[tokio::test]
async fn public_paths_come_in_pages() {
    let world = world().await;
    let path = |path: &str, recursive| GetParametersByPathRequest {
        path: path.to_owned(),
        recursive: Some(recursive),
        max_results: Some(2),
        ..Default::default()
    };
    let (names, next) = world.by_path(path("/aws/service", true)).await;
    assert_eq!(names, ["/aws/service/ami/latest", "/aws/service/ami/older/1"]);
    let more = GetParametersByPathRequest { next_token: next, ..path("/aws/service", true) };
    assert_eq!(world.by_path(more).await, (vec!["/aws/service/version".to_owned()], None));
    let (names, _) = world.by_path(path("/aws/service/ami", false)).await;
    assert_eq!(names, ["/aws/service/ami/latest"]);
}

#[tokio::test]
async fn public_parameters_too_need_the_callers_leave() {
    let world = world().await;
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    let name = "/aws/service/version".to_owned();
    let input = GetParameterRequest { name, with_decryption: None };
    let read = world.as_user::<ops::GetParameter>(&nobody, input).await;
    assert_eq!(code(read), "AccessDeniedException");
}

/// A Secrets Manager that knows one secret.
struct OneSecret;

#[async_trait]
impl Secrets for OneSecret {
    async fn get_secret_value(
        &self,
        cx: &Cx,
        input: GetSecretValueRequest,
    ) -> Result<GetSecretValueResponse, Problem> {
        assert_eq!(cx.via(), ["ssm"]);
        if input.secret_id != "app/db" {
            let message = "Secrets Manager can't find the specified secret.".to_owned();
            return Err(Problem::modelled("ResourceNotFoundException", 400, message));
        }
        let previous = input.version_stage.as_deref() == Some("AWSPREVIOUS");
        Ok(GetSecretValueResponse {
            arn: Some(
                "arn:aws:secretsmanager:us-east-1:111111111111:secret:app/db-AbCdEf".to_owned(),
            ),
            name: Some(input.secret_id),
            secret_string: Some(SecretString(if previous { "old" } else { "new" }.to_owned())),
            ..Default::default()
        })
    }
}

#[tokio::test]
async fn a_secret_is_read_as_a_parameter() {
    let world = World::with(|ssm| ssm.with_secrets(Arc::new(OneSecret))).await;
    let secret = world.get("/aws/reference/secretsmanager/app/db").await.unwrap();
    assert_eq!(secret.name.as_deref(), Some("/aws/reference/secretsmanager/app/db"));
    assert_eq!(secret.r#type, Some(ParameterType::SecureString));
    assert_eq!(secret.value.unwrap().0, "new");
    assert_eq!(secret.version, Some(0));
    assert!(secret.source_result.unwrap().contains(r#""secretString":"new""#));
    assert_eq!(world.value("/aws/reference/secretsmanager/app/db:AWSPREVIOUS").await, "old");
    let missing = world.get("/aws/reference/secretsmanager/none").await;
    assert_eq!(code(missing), "ParameterNotFound");
    let input = GetParameterRequest {
        name: "/aws/reference/secretsmanager/app/db".to_owned(),
        with_decryption: None,
    };
    let sealed = world.call::<ops::GetParameter>(input).await;
    assert_eq!(
        words(sealed),
        "WithDecryption flag must be True for retrieving a Secret Manager secret."
    );
}
