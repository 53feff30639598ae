//! Secrets of Secrets Manager, read as parameters: `/aws/reference/secretsmanager/<secret>`.
//!
//! Nothing is kept: each read asks Secrets Manager, in the caller's name.
//!
//! Source: User Guide, "Referencing AWS Secrets Manager secrets from Parameter Store parameters".

use async_trait::async_trait;
use haechi_core::{Cx, Operation};
use haechi_secretsmanager_model::ops::GetSecretValue;
use haechi_secretsmanager_model::shapes::{GetSecretValueRequest, GetSecretValueResponse};
use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::{Parameter, ParameterType};
use haechi_wire::{Fault, Problem, SecretString};
use serde_json::{Map, Value};

use crate::Ssm;
use crate::authz::Wanted;
use crate::error::invalid;
use crate::secure::SERVICE;

/// What names of secrets begin with.
const PREFIX: &str = "/aws/reference/secretsmanager/";

/// Characters of a version id; labels have fewer or other ones.
const VERSION_ID_CHARACTERS: std::ops::RangeInclusive<usize> = 32..=64;

/// What Parameter Store asks of Secrets Manager, in the name of the caller of `cx`.
#[async_trait]
pub trait Secrets: Send + Sync + 'static {
    /// `GetSecretValue`.
    ///
    /// # Errors
    /// Whatever Secrets Manager answers.
    async fn get_secret_value(
        &self,
        cx: &Cx,
        input: GetSecretValueRequest,
    ) -> Result<GetSecretValueResponse, Problem>;
}

/// The part of a name that names a secret, maybe with a version id or a label.
pub(crate) fn named(text: &str) -> Option<&str> {
    text.trim().strip_prefix(PREFIX)
}

fn request(named: &str) -> GetSecretValueRequest {
    let (secret_id, selector) = match named.split_once(':') {
        Some((secret_id, selector)) => (secret_id, Some(selector)),
        None => (named, None),
    };
    let is_id = |text: &&str| {
        let plain = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        VERSION_ID_CHARACTERS.contains(&text.len()) && text.bytes().all(plain)
    };
    GetSecretValueRequest {
        secret_id: secret_id.to_owned(),
        version_id: selector.filter(is_id).map(str::to_owned),
        version_stage: selector.filter(|text| !is_id(text)).map(str::to_owned),
    }
}

/// What Secrets Manager answered, as a parameter. The names in `SourceResult` are what AWS answers;
/// its User Guide begins them with capitals.
fn shown(name: &str, selector: Option<&str>, mut secret: GetSecretValueResponse) -> Parameter {
    let mut source = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            source.insert(key.to_owned(), value);
        }
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds with three decimals, as AWS shows them"
    )]
    put("createdDate", secret.created_date.map(|date| (date.millis() as f64 / 1000.0).into()));
    put("name", secret.name.clone().map(Value::from));
    put("versionId", secret.version_id.clone().map(Value::from));
    put("secretString", secret.secret_string.as_ref().map(|text| text.0.clone().into()));
    put("ARN", secret.arn.clone().map(Value::from));
    put("versionStages", secret.version_stages.clone().map(Value::from));
    let value = secret.secret_string.as_mut().map(|text| std::mem::take(&mut text.0));
    Parameter {
        name: Some(format!("{PREFIX}{name}")),
        r#type: Some(ParameterType::SecureString),
        value: value.map(SecretString),
        version: Some(0),
        selector: selector.map(|selector| format!(":{selector}")),
        source_result: Some(Value::Object(source).to_string()),
        last_modified_date: secret.created_date,
        arn: secret.arn.clone(),
        data_type: Some("text".to_owned()),
    }
}

impl Ssm {
    /// Reads a secret as a parameter. The caller needs the permissions of both services.
    pub(crate) async fn secret(
        &self,
        cx: &Cx,
        named: &str,
        with_decryption: bool,
    ) -> Result<Parameter, Error> {
        let (name, selector) = match named.split_once(':') {
            Some((name, selector)) => (name, Some(selector)),
            None => (named, None),
        };
        let arn = cx.arn("ssm", &format!("parameter{PREFIX}{name}"));
        Wanted::on(&arn, cx.account().as_str(), None).allow(cx)?;
        if !with_decryption {
            return Err(invalid(
                "WithDecryption flag must be True for retrieving a Secret Manager secret.",
            ));
        }
        let Some(secrets) = &self.secrets else { return Err(cx.unsupported().into()) };
        let call = cx.forward(GetSecretValue::SCHEMA, SERVICE);
        match secrets.get_secret_value(&call, request(named)).await {
            Ok(secret) if secret.secret_string.is_some() => Ok(shown(name, selector, secret)),
            Ok(_) => Err(invalid(format!("Secret {PREFIX}{name} has no text: it is binary."))),
            Err(Problem::Fault(fault)) => Err(Error::Fault(fault)),
            Err(Problem::Modelled { code: "ResourceNotFoundException", .. }) => {
                Err(Error::ParameterNotFound(format!(
                    "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret \
                     {PREFIX}{name} not found."
                )))
            }
            Err(Problem::Modelled { code, message, .. }) => Err(Error::Fault(Fault::Validation(
                format!("An error occurred ({code}) when referencing Secrets Manager: {message}"),
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_with_a_version_id_or_a_label() {
        let plain = request("app/db");
        assert_eq!((plain.secret_id.as_str(), plain.version_stage), ("app/db", None));
        let label = request("app/db:AWSPREVIOUS");
        assert_eq!(label.version_stage.as_deref(), Some("AWSPREVIOUS"));
        let id = request("app/db:01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(id.version_id.as_deref(), Some("01234567-89ab-cdef-0123-456789abcdef"));
    }
}
