//! `GetFunction`.

use crate::Lambda;
use crate::code_link;
use crate::configuration::{Shown, show};
use crate::function::{Named, tags_denial};
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunction;
use haechi_lambda_model::shapes::{
    Concurrency, FunctionCodeLocation, GetFunctionRequest, GetFunctionResponse, TagsError,
};

impl Handle<GetFunction> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFunctionRequest,
    ) -> Result<GetFunctionResponse, Error> {
        let given = input.qualifier.as_deref();
        let function = self.function(cx, Named::Qualified(&input.function_name, given)).await?;
        let version = self.version(&function).await?;
        let arn = function.reference.shown_arn(&version);
        let mut tags = Some(function.record.tags.clone()).filter(|tags| !tags.is_empty());
        let mut tags_error = None;
        if tags.is_some()
            && let Some(message) = tags_denial(cx, &function)?
        {
            tags = None;
            let error_code = "AccessDeniedException".to_owned();
            tags_error = Some(TagsError { error_code, message });
        }
        let reserved = function.record.reserved;
        Ok(GetFunctionResponse {
            configuration: Some(show(&function.record, &version, arn, Shown::Ready)),
            code: Some(FunctionCodeLocation {
                location: code_link::link(cx, &function.reference, &version),
                repository_type: Some("S3".to_owned()),
                ..FunctionCodeLocation::default()
            }),
            tags,
            tags_error,
            concurrency: reserved
                .map(|count| Concurrency { reserved_concurrent_executions: Some(count) }),
        })
    }
}
