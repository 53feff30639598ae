//! `GetFunctionConcurrency`.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunctionConcurrency;
use haechi_lambda_model::shapes::{GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse};

use crate::Lambda;
use crate::function::Named;

impl Handle<GetFunctionConcurrency> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFunctionConcurrencyRequest,
    ) -> Result<GetFunctionConcurrencyResponse, Error> {
        let function = self.function(cx, Named::Whole(&input.function_name)).await?;
        let reserved_concurrent_executions = function.record.reserved;
        Ok(GetFunctionConcurrencyResponse { reserved_concurrent_executions })
    }
}
