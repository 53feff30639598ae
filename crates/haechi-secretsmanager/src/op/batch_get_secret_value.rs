//! `BatchGetSecretValue`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::BatchGetSecretValue;
use haechi_secretsmanager_model::shapes::{
    APIErrorType, BatchGetSecretValueRequest, BatchGetSecretValueResponse, GetSecretValueRequest,
    SecretValueEntry, SortByType, SortOrderType,
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
            let wanted =
                GetSecretValueRequest { secret_id: secret_id.clone(), ..Default::default() };
            match self.value(cx, &wanted).await {
                Ok(value) => values.push(SecretValueEntry {
                    arn: value.arn,
                    name: value.name,
                    version_id: value.version_id,
                    secret_binary: value.secret_binary,
                    secret_string: value.secret_string,
                    version_stages: value.version_stages,
                    created_date: value.created_date,
                }),
                Err(Error::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) => {
                    return Err(fault.into());
                }
                Err(error) => errors.push(told(secret_id, error)),
            }
        }
        Ok(BatchGetSecretValueResponse {
            secret_values: Some(values),
            next_token,
            errors: Some(errors),
        })
    }
}

fn told(secret_id: String, error: Error) -> APIErrorType {
    let problem = Problem::from(error);
    APIErrorType {
        secret_id: Some(secret_id),
        error_code: Some(problem.code(Protocol::Json11).to_owned()),
        message: Some(problem.message()),
    }
}

impl SecretsManager {
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
