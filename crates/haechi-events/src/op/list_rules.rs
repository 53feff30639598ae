//! `ListRules`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::ListRules;
use haechi_events_model::shapes::{ListRulesRequest, ListRulesResponse, Rule};

use crate::paging::page;
use crate::{Events, bus, rule};

impl Handle<ListRules> for Events {
    async fn handle(&self, cx: &Cx, input: ListRulesRequest) -> Result<ListRulesResponse, Error> {
        let bus = bus::name(cx, input.event_bus_name.as_deref())?;
        let prefix = input.name_prefix.unwrap_or_default();
        bus::allow(cx, &rule::arn(cx, bus, &format!("{prefix}*")))?;
        let place = bus::place(cx);
        self.require_bus(&place, bus).await?;
        let mut rules = self.rules(&place, bus).await?;
        rules.retain(|rule| rule.name.starts_with(&prefix));
        let token = input.next_token.as_deref();
        let (rules, next_token) = page(rules, |rule| &rule.name, input.limit, token);
        let show = |rule: crate::store::RuleRecord| Rule {
            arn: Some(rule::arn(cx, &rule.bus, &rule.name)),
            state: Some(rule::state(&rule)),
            name: Some(rule.name),
            event_pattern: rule.pattern,
            schedule_expression: rule.schedule.map(|schedule| schedule.expression),
            description: rule.description,
            role_arn: rule.role_arn,
            event_bus_name: Some(rule.bus),
            ..Default::default()
        };
        Ok(ListRulesResponse { rules: Some(rules.into_iter().map(show).collect()), next_token })
    }
}
