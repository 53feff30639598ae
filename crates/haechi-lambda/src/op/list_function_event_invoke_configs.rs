//! `ListFunctionEventInvokeConfigs`.

use crate::Lambda;
use crate::function::Named;
use crate::op::put_function_event_invoke_config::{no_such, show_rules};
use crate::paging::page;
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListFunctionEventInvokeConfigs;
use haechi_lambda_model::shapes::{
    ListFunctionEventInvokeConfigsRequest, ListFunctionEventInvokeConfigsResponse,
};

impl Handle<ListFunctionEventInvokeConfigs> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListFunctionEventInvokeConfigsRequest,
    ) -> Result<ListFunctionEventInvokeConfigsResponse, Error> {
        let named = Named::Whole(&input.function_name);
        let function = self.function_or(cx, named, |_| no_such()).await?;
        let rules: Vec<_> = function.record.event_invoke.iter().collect();
        let (rules, next_marker) =
            page(rules, |(key, _)| (*key).clone(), input.max_items, input.marker.as_deref());
        let shown = rules.iter().map(|(key, rules)| show_rules(&function, key, rules)).collect();
        Ok(ListFunctionEventInvokeConfigsResponse {
            function_event_invoke_configs: Some(shown),
            next_marker,
        })
    }
}
