//! `PutRule`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::PutRule;
use haechi_events_model::shapes::{PutRuleRequest, PutRuleResponse, RuleState};

use crate::store::{RuleRecord, Tags};
use crate::{Events, bus, rule, tags};

/// Rules on a bus, at most.
const RULES_MAX: usize = 300;

impl Handle<PutRule> for Events {
    async fn handle(&self, cx: &Cx, input: PutRuleRequest) -> Result<PutRuleResponse, Error> {
        let bus = bus::name(cx, input.event_bus_name.as_deref())?;
        let arn = rule::arn(cx, bus, &input.name);
        bus::allow(cx, &arn)?;
        if input.schedule_expression.is_some() {
            if bus != bus::DEFAULT {
                let told = "ScheduleExpression is supported only on the default event bus.";
                return Err(bus::invalid(told));
            }
            return Err(cx.unsupported().into());
        }
        if input.state == Some(RuleState::EnabledWithAllCloudtrailManagementEvents) {
            return Err(cx.unsupported().into());
        }
        let place = bus::place(cx);
        self.require_bus(&place, bus).await?;
        let Some(pattern) = input.event_pattern else {
            let told = "Parameter(s) EventPattern or ScheduleExpression must be specified.";
            return Err(bus::invalid(told));
        };
        rule::pattern(&pattern)?;
        let path = place.rule(bus, &input.name);
        let found = self.database.load::<RuleRecord>(&path).await?;
        if found.is_none() && self.rules(&place, bus).await?.len() >= RULES_MAX {
            let told = "The requested resource exceeds the maximum number allowed.";
            return Err(Error::LimitExceededException(told.to_owned()));
        }
        let (tags, targets) = match &found {
            // Tags of a rule that exists are changed by TagResource alone.
            Some(found) => (found.value.tags.clone(), found.value.targets.clone()),
            None => (tags::merged(Tags::new(), input.tags.unwrap_or_default())?, Vec::new()),
        };
        let record = RuleRecord {
            bus: bus.to_owned(),
            pattern,
            is_enabled: input.state != Some(RuleState::Disabled),
            description: input.description,
            role_arn: input.role_arn,
            tags,
            targets,
            unknown: Unknown::new(),
            name: input.name,
        };
        let mut batch = Batch::new();
        match &found {
            Some(found) => batch.replace(found, &record),
            None => batch.create(path, &record),
        }
        self.database.commit(batch).await?;
        Ok(PutRuleResponse { rule_arn: Some(arn) })
    }
}
