//! `GetFunctionEventInvokeConfig`.

use crate::Lambda;
use crate::function::Named;
use crate::op::put_function_event_invoke_config::{no_rules, rules_key, show_rules};
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetFunctionEventInvokeConfig;
use haechi_lambda_model::shapes::{FunctionEventInvokeConfig, GetFunctionEventInvokeConfigRequest};

impl Handle<GetFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetFunctionEventInvokeConfigRequest,
    ) -> Result<FunctionEventInvokeConfig, Error> {
        let given = input.qualifier.as_deref();
        let function =
            self.function_or(cx, Named::Qualified(&input.function_name, given), no_rules).await?;
        let key = rules_key(&function);
        let rules = function.record.event_invoke.get(&key);
        let rules = rules.ok_or_else(|| no_rules(&function.reference))?;
        Ok(show_rules(&function, &key, rules))
    }
}
