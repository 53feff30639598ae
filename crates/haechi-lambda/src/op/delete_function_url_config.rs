//! `DeleteFunctionUrlConfig`: no function has a URL here, as none can be made.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteFunctionUrlConfig;
use haechi_lambda_model::shapes::DeleteFunctionUrlConfigRequest;
use haechi_wire::shape::Unit;

use crate::Lambda;

impl Handle<DeleteFunctionUrlConfig> for Lambda {
    async fn handle(&self, cx: &Cx, input: DeleteFunctionUrlConfigRequest) -> Result<Unit, Error> {
        Err(self.no_url(cx, (&input.function_name, input.qualifier.as_deref())).await)
    }
}
