//! `ListRuleNamesByTarget`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::ListRuleNamesByTarget;
use haechi_events_model::shapes::{ListRuleNamesByTargetRequest, ListRuleNamesByTargetResponse};

use crate::paging::page;
use crate::{Events, bus, rule};

impl Handle<ListRuleNamesByTarget> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListRuleNamesByTargetRequest,
    ) -> Result<ListRuleNamesByTargetResponse, Error> {
        let bus = bus::name(cx, input.event_bus_name.as_deref())?;
        bus::allow(cx, &rule::arn(cx, bus, "*"))?;
        let place = bus::place(cx);
        self.require_bus(&place, bus).await?;
        let mut rules = self.rules(&place, bus).await?;
        rules.retain(|rule| rule.targets.iter().any(|target| target.arn == input.target_arn));
        let names: Vec<String> = rules.into_iter().map(|rule| rule.name).collect();
        let token = input.next_token.as_deref();
        let (names, next_token) = page(names, |name| name, input.limit, token);
        Ok(ListRuleNamesByTargetResponse { rule_names: Some(names), next_token })
    }
}
