//! `GetFunctionConfiguration`.

use crate::Lambda;
use crate::configuration::{Shown, show};
use crate::function::Named;
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunctionConfiguration;
use haechi_lambda_model::shapes::{FunctionConfiguration, GetFunctionConfigurationRequest};

impl Handle<GetFunctionConfiguration> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFunctionConfigurationRequest,
    ) -> Result<FunctionConfiguration, Error> {
        let given = input.qualifier.as_deref();
        let function = self.function(cx, Named::Qualified(&input.function_name, given)).await?;
        let version = self.version(&function).await?;
        let arn = function.reference.shown_arn(&version);
        Ok(show(&function.record, &version, arn, Shown::Ready))
    }
}
