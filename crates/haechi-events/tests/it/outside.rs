//! Secrets Manager and the network, as the test says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use haechi_core::Cx;
use haechi_events::{
    ConnectionSecrets, HttpAnswer, HttpClient, HttpRequest, Unreached, Whereabouts,
};
use haechi_secretsmanager_model::shapes::{
    CreateSecretRequest, CreateSecretResponse, DeleteSecretRequest, GetSecretValueRequest,
    UpdateSecretRequest, UpdateSecretResponse,
};
use haechi_wire::{Fault, Problem, SecretString};
use zeroize::Zeroizing;

/// The secrets by ARN, and what is to fail.
#[derive(Default)]
pub struct Vault {
    pub kept: Mutex<BTreeMap<String, Vec<String>>>,
    pub is_closed: Mutex<bool>,
    /// Whoever makes a secret does not live to hear of it.
    pub is_deadly: Mutex<bool>,
}

impl Vault {
    fn text(&self, input: &GetSecretValueRequest) -> Result<SecretString, Problem> {
        let kept = self.kept.lock().unwrap();
        let versions = kept.get(&input.secret_id);
        let version = input.version_id.as_ref().map(|id| id.parse::<usize>().unwrap());
        let text = versions.and_then(|all| all.get(version.unwrap_or(all.len() - 1)));
        text.map(|text| SecretString(text.clone())).ok_or_else(gone)
    }

    fn remove(&self, id: &str) {
        let is_it = |arn: &String| arn == id || arn.contains(&format!(":secret:{id}-"));
        self.kept.lock().unwrap().retain(|arn, _| !is_it(arn));
    }

    /// The newest text of the only secret.
    pub fn only(&self) -> String {
        let kept = self.kept.lock().unwrap();
        assert_eq!(kept.len(), 1);
        kept.values().next().unwrap().last().unwrap().clone()
    }
}

fn gone() -> Problem {
    Problem::Fault(Fault::Validation("no such secret".to_owned()))
}

#[async_trait]
impl ConnectionSecrets for Vault {
    async fn create(
        &self,
        cx: &Cx,
        input: CreateSecretRequest,
    ) -> Result<CreateSecretResponse, Problem> {
        if *self.is_closed.lock().unwrap() {
            return Err(Problem::Fault(Fault::AccessDenied("not yours".to_owned())));
        }
        let arn = format!("{}-Ab12Cd", cx.arn("secretsmanager", &format!("secret:{}", input.name)));
        let text = input.secret_string.unwrap().0.clone();
        self.kept.lock().unwrap().insert(arn.clone(), vec![text]);
        if *self.is_deadly.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        let (arn, version_id) = (Some(arn), Some("0".to_owned()));
        Ok(CreateSecretResponse { arn, version_id, ..Default::default() })
    }

    async fn update(
        &self,
        _: &Cx,
        input: UpdateSecretRequest,
    ) -> Result<UpdateSecretResponse, Problem> {
        let mut kept = self.kept.lock().unwrap();
        let versions = kept.get_mut(&input.secret_id).ok_or_else(gone)?;
        versions.push(input.secret_string.unwrap().0.clone());
        let version_id = Some((versions.len() - 1).to_string());
        Ok(UpdateSecretResponse { version_id, ..Default::default() })
    }

    async fn get(&self, _: &Cx, input: GetSecretValueRequest) -> Result<SecretString, Problem> {
        self.text(&input)
    }

    async fn delete(&self, _: &Cx, input: DeleteSecretRequest) -> Result<(), Problem> {
        self.remove(&input.secret_id);
        Ok(())
    }

    async fn get_as_service(
        &self,
        _: Whereabouts<'_>,
        input: GetSecretValueRequest,
    ) -> Result<SecretString, Problem> {
        self.text(&input)
    }

    async fn delete_as_service(
        &self,
        _: Whereabouts<'_>,
        input: DeleteSecretRequest,
    ) -> Result<(), Problem> {
        self.remove(&input.secret_id);
        Ok(())
    }
}

/// What was sent, and what is to come back for it; with nothing said, 200 and a token.
#[derive(Default)]
pub struct Web {
    pub got: Mutex<Vec<HttpRequest>>,
    pub answers: Mutex<VecDeque<Result<HttpAnswer, Unreached>>>,
}

impl Web {
    pub fn answer(&self, status: u16, retry_after_seconds: Option<i64>) {
        let answer = HttpAnswer { status, retry_after_seconds, ..HttpAnswer::default() };
        self.answers.lock().unwrap().push_back(Ok(answer));
    }

    /// Method and URL of what was sent since.
    pub fn sent(&self) -> Vec<String> {
        let got = std::mem::take(&mut *self.got.lock().unwrap());
        got.iter().map(|request| format!("{} {}", request.method, *request.url)).collect()
    }
}

#[async_trait]
impl HttpClient for Web {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, Unreached> {
        self.got.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| {
            let body = br#"{"access_token": "t", "token_type": "Bearer", "expires_in": 3600}"#;
            Ok(HttpAnswer {
                status: 200,
                body: Zeroizing::new(body.to_vec()),
                ..Default::default()
            })
        })
    }
}
