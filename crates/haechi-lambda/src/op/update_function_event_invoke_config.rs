//! `UpdateFunctionEventInvokeConfig`.

use crate::Lambda;
use crate::function::Named;
use crate::op::put_function_event_invoke_config::{no_rules, no_such, rules_key, show_rules};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::UpdateFunctionEventInvokeConfig;
use haechi_lambda_model::shapes::{
    FunctionEventInvokeConfig, UpdateFunctionEventInvokeConfigRequest,
};

impl Handle<UpdateFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateFunctionEventInvokeConfigRequest,
    ) -> Result<FunctionEventInvokeConfig, Error> {
        let given = input.qualifier.as_deref();
        let named = Named::Qualified(&input.function_name, given);
        let mut function = self.function_or(cx, named, |_| no_such()).await?;
        let key = rules_key(&function);
        let Some(mut rules) = function.record.event_invoke.get(&key).cloned() else {
            return Err(no_rules(&function.reference));
        };
        rules.retries = input.maximum_retry_attempts.or(rules.retries);
        rules.age_seconds = input.maximum_event_age_in_seconds.or(rules.age_seconds);
        if input.destination_config.is_some() {
            let (success, failure) =
                self.destinations(cx, &function, input.destination_config).await?;
            (rules.on_success, rules.on_failure) = (success, failure);
        }
        rules.modified_ms = cx.now().millis();
        let answer = show_rules(&function, &key, &rules);
        function.record.event_invoke.insert(key, rules);
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(answer)
    }
}
