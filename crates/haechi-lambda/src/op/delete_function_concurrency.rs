//! `DeleteFunctionConcurrency`.

use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteFunctionConcurrency;
use haechi_lambda_model::shapes::DeleteFunctionConcurrencyRequest;

use haechi_wire::shape::Unit;

use crate::Lambda;
use crate::function::Named;

impl Handle<DeleteFunctionConcurrency> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteFunctionConcurrencyRequest,
    ) -> Result<Unit, Error> {
        let mut function = self.function(cx, Named::Whole(&input.function_name)).await?;
        function.record.reserved = None;
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
