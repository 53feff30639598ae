//! `DeleteFunctionCodeSigningConfig`: no function has one here, and that is no failure.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteFunctionCodeSigningConfig;
use haechi_lambda_model::shapes::DeleteFunctionCodeSigningConfigRequest;
use haechi_wire::shape::Unit;

use crate::Lambda;
use crate::function::Named;

impl Handle<DeleteFunctionCodeSigningConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteFunctionCodeSigningConfigRequest,
    ) -> Result<Unit, Error> {
        self.function(cx, Named::Whole(&input.function_name)).await?;
        Ok(Unit)
    }
}
