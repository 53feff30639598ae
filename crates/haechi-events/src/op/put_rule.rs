//! `PutRule`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_events_model::Error;
use haechi_events_model::ops::PutRule;
use haechi_events_model::shapes::{PutRuleRequest, PutRuleResponse, RuleState};

use serde_json::Value;

use crate::store::{RuleRecord, Tags};
use crate::{Events, bus, rule, schedule, tags};

/// Rules on a bus, at most.
const RULES_MAX: usize = 300;

/// What a pattern asks for, as condition keys.
fn asked<'a>(mut facts: Facts<'a>, pattern: &str) -> Facts<'a> {
    let Ok(pattern) = serde_json::from_str::<Value>(pattern) else { return facts };
    let plain = |place: &str| -> Vec<String> {
        let list = pattern.pointer(place).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for (key, place) in [
        ("events:source", "/source"),
        ("events:detail-type", "/detail-type"),
        ("events:detail.service", "/detail/service"),
        ("events:detail.eventtypecode", "/detail/eventTypeCode"),
        ("events:detail.useridentity.principalid", "/detail/userIdentity/principalId"),
    ] {
        facts = facts.with(key, plain(place));
    }
    facts
}

impl Events {
    async fn allow_rule(
        &self,
        cx: &Cx,
        bus: &str,
        arn: &str,
        input: &PutRuleRequest,
    ) -> Result<(), Error> {
        let place = bus::place(cx);
        let found = self.database.load::<RuleRecord>(&place.rule(bus, &input.name)).await?;
        let tags = input.tags.iter().flatten().map(|tag| (&tag.key, &tag.value));
        let facts = Facts::putting(tags);
        let facts = rule::known(facts, &place, found.as_ref().map(|rule| &rule.value.tags));
        let pattern = input.event_pattern.as_deref().unwrap_or_default();
        let asked = asked(facts, pattern);
        cx.authorize_knowing(arn, &asked)?;
        // Those of a rule that exists stay as they are.
        if found.is_none() {
            cx.authorize_tagging("events:TagResource", arn, &asked)?;
        }
        Ok(())
    }
}

impl Handle<PutRule> for Events {
    async fn handle(&self, cx: &Cx, input: PutRuleRequest) -> Result<PutRuleResponse, Error> {
        let bus = bus::name(cx, input.event_bus_name.as_deref())?;
        let arn = rule::arn(cx, bus, &input.name);
        self.allow_rule(cx, bus, &arn, &input).await?;
        if input.schedule_expression.is_some() && bus != bus::DEFAULT {
            let told = "ScheduleExpression is supported only on the default event bus.";
            return Err(bus::invalid(told));
        }
        self.check_role(cx, &arn, input.role_arn.as_deref()).await?;
        let place = bus::place(cx);
        self.require_bus(&place, bus).await?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (pattern, expression) = (given(input.event_pattern), given(input.schedule_expression));
        if pattern.is_none() && expression.is_none() {
            let told = "Parameter(s) EventPattern or ScheduleExpression must be specified.";
            return Err(bus::invalid(told));
        }
        if let Some(pattern) = &pattern {
            rule::pattern(pattern)?;
        }
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
        let is_enabled = input.state != Some(RuleState::Disabled);
        let before = found.as_ref().map(|found| &found.value);
        let planned = before.and_then(|rule| rule.schedule.as_ref());
        let record = RuleRecord {
            bus: bus.to_owned(),
            pattern,
            schedule: schedule::planned(&cx.env, cx.now(), expression, is_enabled, planned)?,
            is_enabled,
            wants_reading_calls: input.state
                == Some(RuleState::EnabledWithAllCloudtrailManagementEvents),
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
        record.reschedule(before, (cx.account(), &cx.region), &mut batch)?;
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(PutRuleResponse { rule_arn: Some(arn) })
    }
}
