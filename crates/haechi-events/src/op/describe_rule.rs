//! `DescribeRule`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::DescribeRule;
use haechi_events_model::shapes::{DescribeRuleRequest, DescribeRuleResponse};

use crate::{Events, rule};

impl Handle<DescribeRule> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeRuleRequest,
    ) -> Result<DescribeRuleResponse, Error> {
        let (place, found) = self.rule(cx, input.event_bus_name.as_deref(), &input.name).await?;
        let rule = found.value;
        Ok(DescribeRuleResponse {
            arn: Some(rule::arn(cx, &rule.bus, &rule.name)),
            state: Some(rule::state(&rule)),
            name: Some(rule.name),
            event_pattern: rule.pattern,
            schedule_expression: rule.schedule.map(|schedule| schedule.expression),
            description: rule.description,
            role_arn: rule.role_arn,
            event_bus_name: Some(rule.bus),
            created_by: Some(place.account),
            ..Default::default()
        })
    }
}
