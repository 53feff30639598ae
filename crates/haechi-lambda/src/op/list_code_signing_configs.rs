//! `ListCodeSigningConfigs`: there is none here, as none can be made.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListCodeSigningConfigs;
use haechi_lambda_model::shapes::{ListCodeSigningConfigsRequest, ListCodeSigningConfigsResponse};

use crate::Lambda;

impl Handle<ListCodeSigningConfigs> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListCodeSigningConfigsRequest,
    ) -> Result<ListCodeSigningConfigsResponse, Error> {
        cx.authorize_any()?;
        let _ = input;
        Ok(ListCodeSigningConfigsResponse {
            code_signing_configs: Some(Vec::new()),
            next_marker: None,
        })
    }
}
