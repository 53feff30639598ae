//! `DeleteProvisionedConcurrencyConfig`: no function has one here, and that is no failure.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteProvisionedConcurrencyConfig;
use haechi_lambda_model::shapes::DeleteProvisionedConcurrencyConfigRequest;
use haechi_wire::shape::Unit;

use crate::Lambda;

impl Handle<DeleteProvisionedConcurrencyConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteProvisionedConcurrencyConfigRequest,
    ) -> Result<Unit, Error> {
        self.provisioned(cx, (&input.function_name, &input.qualifier)).await?;
        Ok(Unit)
    }
}
