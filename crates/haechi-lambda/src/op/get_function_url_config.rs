//! `GetFunctionUrlConfig`: no function has a URL here, as none can be made.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunctionUrlConfig;
use haechi_lambda_model::shapes::{GetFunctionUrlConfigRequest, GetFunctionUrlConfigResponse};
use haechi_wire::Fault;

use crate::Lambda;
use crate::function::Named;
use crate::reference::LATEST;
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
        // The model's pattern looks ahead: no version has a URL.
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(text) = qualifier.filter(|text| *text == LATEST || number(text)) {
            return Fault::Validation(format!(
                "1 validation error detected: Value '{text}' at 'qualifier' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: \
                 ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"
            ))
            .into();
        }
        let missing = || not_found("The resource you requested does not exist.");
        match self.function_or(cx, Named::Qualified(name, qualifier), |_| missing()).await {
            Ok(_) => missing(),
            Err(error) => error,
        }
    }
}
