//! `ListProvisionedConcurrencyConfigs`: no function has any here, as none can be put.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListProvisionedConcurrencyConfigs;
use haechi_lambda_model::shapes::{
    ListProvisionedConcurrencyConfigsRequest, ListProvisionedConcurrencyConfigsResponse,
};

use crate::Lambda;
use crate::function::Named;

impl Handle<ListProvisionedConcurrencyConfigs> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListProvisionedConcurrencyConfigsRequest,
    ) -> Result<ListProvisionedConcurrencyConfigsResponse, Error> {
        self.function(cx, Named::Whole(&input.function_name)).await?;
        Ok(ListProvisionedConcurrencyConfigsResponse {
            provisioned_concurrency_configs: Some(Vec::new()),
            next_marker: None,
        })
    }
}
