//! `DeleteFunctionEventInvokeConfig`.

use haechi_wire::shape::Unit;

use crate::Lambda;
use crate::function::Named;
use crate::op::put_function_event_invoke_config::{no_rules, rules_key};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteFunctionEventInvokeConfig;
use haechi_lambda_model::shapes::DeleteFunctionEventInvokeConfigRequest;

impl Handle<DeleteFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteFunctionEventInvokeConfigRequest,
    ) -> Result<Unit, Error> {
        let given = input.qualifier.as_deref();
        let mut function =
            self.function_or(cx, Named::Qualified(&input.function_name, given), no_rules).await?;
        let key = rules_key(&function);
        if function.record.event_invoke.remove(&key).is_none() {
            return Err(no_rules(&function.reference));
        }
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
