//! `ListTargetsByRule`.

use haechi_core::{Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::ListTargetsByRule;
use haechi_events_model::shapes::{ListTargetsByRuleRequest, ListTargetsByRuleResponse};

use crate::paging::page;
use crate::{Events, target};

impl Handle<ListTargetsByRule> for Events {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListTargetsByRuleRequest,
    ) -> Result<ListTargetsByRuleResponse, Error> {
        let (_, found) = self.rule(cx, input.event_bus_name.as_deref(), &input.rule).await?;
        let mut targets = found.value.targets;
        targets.sort_by(|left, right| left.id.cmp(&right.id));
        let token = input.next_token.as_deref();
        let (targets, next_token) = page(targets, |target| &target.id, input.limit, token);
        let targets = Some(targets.into_iter().map(target::show).collect());
        Ok(ListTargetsByRuleResponse { targets, next_token })
    }
}
