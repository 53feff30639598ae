//! `BatchGetSecretValue`.

use std::sync::{Mutex, PoisonError};

use haechi_core::{Cx, Handle, Operation};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::{BatchGetSecretValue, GetSecretValue};
use haechi_secretsmanager_model::shapes::{
    APIErrorType, BatchGetSecretValueRequest, BatchGetSecretValueResponse, GetSecretValueRequest,
    GetSecretValueResponse, SecretValueEntry, SortByType, SortOrderType,
};
use haechi_wire::{Fault, Problem, Protocol};

use crate::filters::checked;
use crate::listing::Listing;
use crate::{SecretsManager, words};

/// Secrets of a page, if the request does not say.
const LIMIT: i32 = 20;

impl Handle<BatchGetSecretValue> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: BatchGetSecretValueRequest,
    ) -> Result<BatchGetSecretValueResponse, Error> {
        cx.authorize_any()?;
        let (ids, next_token) = match (input.secret_id_list, input.filters) {
            (Some(ids), None) => {
                if input.max_results.is_some() || input.next_token.is_some() {
                    return Err(words::parameter(
                        "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is \
                         provided.",
                    ));
                }
                (ids, None)
            }
            (None, Some(filters)) => {
                let limit = usize::try_from(input.max_results.unwrap_or(LIMIT));
                let listing = Listing {
                    filters: checked(&filters)?,
                    deleted: false,
                    by: SortByType::CreatedDate,
                    order: SortOrderType::Asc,
                    limit: limit.map_err(Fault::internal)?,
                    token: input.next_token.as_deref(),
                };
                self.may_list(cx)?;
                let (page, next) = self.page(cx, &listing).await?;
                (page.iter().map(|secret| secret.record.arn.clone()).collect(), next)
            }
            _ => {
                return Err(words::parameter(
                    "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
                ));
            }
        };
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for secret_id in ids {
            match self.one(cx, &secret_id).await? {
                Ok(value) => values.push(SecretValueEntry {
                    arn: value.arn,
                    name: value.name,
                    version_id: value.version_id,
                    secret_binary: value.secret_binary,
                    secret_string: value.secret_string,
                    version_stages: value.version_stages,
                    created_date: value.created_date,
                }),
                Err(problem) => errors.push(told(secret_id, &problem)),
            }
        }
        Ok(BatchGetSecretValueResponse {
            secret_values: Some(values),
            next_token,
            errors: Some(errors),
        })
    }
}

fn told(secret_id: String, problem: &Problem) -> APIErrorType {
    APIErrorType {
        secret_id: Some(secret_id),
        error_code: Some(problem.code(Protocol::Json11).to_owned()),
        message: Some(problem.message()),
    }
}

/// What was answered for one secret, for its record.
struct Answered(Mutex<Option<Result<GetSecretValueResponse, Error>>>);

impl Handle<GetSecretValue> for Answered {
    async fn handle(
        &self,
        _: &Cx,
        _: GetSecretValueRequest,
    ) -> Result<GetSecretValueResponse, Error> {
        let mut answer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answer.take().ok_or_else(|| Fault::internal("one answer is for one call"))?
    }
}

impl SecretsManager {
    /// The value of one secret, which is recorded as a call of its own. It is decided as the caller's,
    /// not as one that a service makes for him.
    async fn one(
        &self,
        cx: &Cx,
        secret_id: &str,
    ) -> Result<Result<GetSecretValueResponse, Problem>, Error> {
        let input = GetSecretValueRequest { secret_id: secret_id.to_owned(), ..Default::default() };
        let before = cx.take_noted();
        let answer = self.value(cx, &input).await;
        let call = cx.forward(GetSecretValue::SCHEMA, "secretsmanager");
        let touched = cx.take_noted();
        touched.iter().for_each(|resource| call.note(resource.clone()));
        before.into_iter().chain(touched).for_each(|resource| cx.note(resource));
        if let Err(Error::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) = answer
        {
            return Err(fault.into());
        }
        let answered = Answered(Mutex::new(Some(answer)));
        Ok(call.perform::<GetSecretValue, _>(&answered, input).await)
    }

    /// Filters find what may be listed only.
    fn may_list(&self, cx: &Cx) -> Result<(), Fault> {
        cx.authorize(&haechi_core::Ask {
            action: "secretsmanager:ListSecrets",
            resource: "*",
            resource_account: cx.account().as_str(),
            policy: None,
            rule: haechi_policy::ResourceRule::Union,
            context: &haechi_core::NoContext,
        })?;
        Ok(())
    }
}
