//! `ListFunctionUrlConfigs`: no function has a URL here, as none can be made.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListFunctionUrlConfigs;
use haechi_lambda_model::shapes::{ListFunctionUrlConfigsRequest, ListFunctionUrlConfigsResponse};

use crate::Lambda;
use crate::function::Named;
use crate::words::not_found;

impl Handle<ListFunctionUrlConfigs> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListFunctionUrlConfigsRequest,
    ) -> Result<ListFunctionUrlConfigsResponse, Error> {
        match self.function(cx, Named::Whole(&input.function_name)).await {
            // As recorded.
            Err(Error::ResourceNotFoundException(..)) => Err(not_found("Function does not exist")),
            found => found.map(|_| ListFunctionUrlConfigsResponse {
                function_url_configs: Vec::new(),
                next_marker: None,
            }),
        }
    }
}
