//! `GetFunctionCodeSigningConfig`: no function has one here, as none can be made.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunctionCodeSigningConfig;
use haechi_lambda_model::shapes::{
    GetFunctionCodeSigningConfigRequest, GetFunctionCodeSigningConfigResponse,
};

use crate::Lambda;
use crate::function::Named;

impl Handle<GetFunctionCodeSigningConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFunctionCodeSigningConfigRequest,
    ) -> Result<GetFunctionCodeSigningConfigResponse, Error> {
        let function = self.function(cx, Named::Whole(&input.function_name)).await?;
        Ok(GetFunctionCodeSigningConfigResponse {
            code_signing_config_arn: String::new(),
            function_name: function.record.name.clone(),
        })
    }
}
