//! `GetFunctionUrlConfig`: no function has a URL here, as none can be made.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunctionUrlConfig;
use haechi_lambda_model::shapes::{GetFunctionUrlConfigRequest, GetFunctionUrlConfigResponse};

use crate::Lambda;
use crate::function::Named;
use crate::words::not_found;

impl Handle<GetFunctionUrlConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFunctionUrlConfigRequest,
    ) -> Result<GetFunctionUrlConfigResponse, Error> {
        Err(self.no_url(cx, (&input.function_name, input.qualifier.as_deref())).await)
    }
}

impl Lambda {
    /// What is said of a URL that is not there.
    pub(super) async fn no_url(&self, cx: &Cx, (name, qualifier): (&str, Option<&str>)) -> Error {
        let missing = || not_found("The resource you requested does not exist.");
        match self.function_or(cx, Named::Qualified(name, qualifier), |_| missing()).await {
            Ok(_) => missing(),
            Err(error) => error,
        }
    }
}
