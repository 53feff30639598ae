//! `GetFunctionConcurrency`.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunctionConcurrency;
use haechi_lambda_model::shapes::{GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse};

use crate::Lambda;

impl Handle<GetFunctionConcurrency> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFunctionConcurrencyRequest,
    ) -> Result<GetFunctionConcurrencyResponse, Error> {
        let (function, _) = self.function(cx, &input.function_name, None).await?;
        let reserved_concurrent_executions = function.record.reserved;
        Ok(GetFunctionConcurrencyResponse { reserved_concurrent_executions })
    }
}
