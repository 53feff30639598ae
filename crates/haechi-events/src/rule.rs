//! Rules of a bus: found, compiled, kept until any is written.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::event::Listeners;
use haechi_core::{AccountId, Cx, Event, Facts, Loaded, Region, Source};
use haechi_events_model::Error;
use haechi_events_model::shapes::RuleState;
use haechi_rules::Pattern;
use haechi_wire::Fault;

use crate::store::{Place, RuleRecord, Tags, TargetRecord};
use crate::{Events, bus};

/// A rule that may match.
pub(crate) struct Compiled {
    pub(crate) name: String,
    pattern: Pattern,
    /// Whether it also gets what tells of calls that only read.
    wants_reading_calls: bool,
    pub(crate) targets: Vec<TargetRecord>,
}

impl Compiled {
    /// Whether it wants an event, which `seen` shows to patterns.
    pub(crate) fn wants(&self, event: &Event, seen: &haechi_rules::Event<'_>) -> bool {
        self.pattern.wants(seen) && (self.wants_reading_calls || !event.is_of_reading_call())
    }
}

/// The resource part of a rule's ARN.
fn resource(bus: &str, name: &str) -> String {
    if bus == bus::DEFAULT { format!("rule/{name}") } else { format!("rule/{bus}/{name}") }
}

pub(crate) fn arn(cx: &Cx, bus: &str, name: &str) -> String {
    cx.arn("events", &resource(bus, name))
}

/// The ARN of a rule of an account in a Region.
pub(crate) fn full_arn((account, region): (&AccountId, &Region), bus: &str, name: &str) -> String {
    format!("arn:{}:events:{region}:{account}:{}", region.partition(), resource(bus, name))
}

pub(crate) fn missing(bus: &str, name: &str) -> Error {
    Error::ResourceNotFoundException(format!("Rule {name} does not exist on EventBus {bus}."))
}

pub(crate) fn state(rule: &RuleRecord) -> RuleState {
    match (rule.is_enabled, rule.wants_reading_calls) {
        (false, _) => RuleState::Disabled,
        (true, false) => RuleState::Enabled,
        (true, true) => RuleState::EnabledWithAllCloudtrailManagementEvents,
    }
}

/// What conditions see of a rule: its tags, and who made it; nothing of one that is not there.
pub(crate) fn known<'a>(mut facts: Facts<'a>, place: &Place, rule: Option<&'a Tags>) -> Facts<'a> {
    facts.of_resource = rule;
    match rule {
        Some(_) => facts.with("events:creatoraccount", [place.account.clone()]),
        None => facts,
    }
}

/// Reads a pattern, in EventBridge's words where it is none.
pub(crate) fn pattern(text: &str) -> Result<Pattern, Error> {
    Pattern::parse(text).map_err(|reason| {
        Error::InvalidEventPatternException(format!("Event pattern is not valid. Reason: {reason}"))
    })
}

impl Events {
    /// A rule that the caller may call this operation on: its bus, and itself.
    pub(crate) async fn rule(
        &self,
        cx: &Cx,
        bus_name: Option<&str>,
        name: &str,
    ) -> Result<(Place, Loaded<RuleRecord>), Error> {
        self.rule_knowing(cx, bus_name, name, Facts::default()).await
    }

    /// The same, where conditions see more of the call.
    pub(crate) async fn rule_knowing(
        &self,
        cx: &Cx,
        bus_name: Option<&str>,
        name: &str,
        facts: Facts<'_>,
    ) -> Result<(Place, Loaded<RuleRecord>), Error> {
        let bus = bus::name(cx, bus_name)?;
        let place = bus::place(cx);
        let found = self.database.load::<RuleRecord>(&place.rule(bus, name)).await?;
        let facts = known(facts, &place, found.as_ref().map(|rule| &rule.value.tags));
        cx.authorize_knowing(&arn(cx, bus, name), &facts)?;
        self.require_bus(&place, bus).await?;
        let rule = found.ok_or_else(|| missing(bus, name))?;
        Ok((place, rule))
    }

    /// Decides on the role of a rule or of its target: whether the caller may pass it, and whether
    /// it lets EventBridge assume it.
    pub(crate) async fn check_role(
        &self,
        cx: &Cx,
        rule_arn: &str,
        role: Option<&str>,
    ) -> Result<(), Error> {
        let Some(role) = role else { return Ok(()) };
        cx.authorize_pass_role(role, "events")?;
        let source = Source { arn: rule_arn.to_owned(), account: cx.account().clone() };
        match self.around.roles.assume("events", &source, &cx.region, role).await {
            Ok(_) => Ok(()),
            Err(Fault::AccessDenied(_)) => Err(bus::invalid(format!(
                "Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'."
            ))),
            Err(fault) => Err(fault.into()),
        }
    }

    /// All rules of a bus, by name.
    pub(crate) async fn rules(&self, place: &Place, bus: &str) -> Result<Vec<RuleRecord>, Fault> {
        let rows = self.database.list_all::<RuleRecord>(&place.rules(bus)).await?;
        let mut rules: Vec<RuleRecord> = rows.into_iter().map(|row| row.value).collect();
        rules.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(rules)
    }

    /// The enabled rules of a bus that have a pattern, compiled.
    pub(crate) async fn compiled(
        &self,
        place: &Place,
        bus: &str,
    ) -> Result<Arc<Vec<Compiled>>, Fault> {
        let compile = async {
            let rules = self.rules(place, bus).await?;
            let enabled = rules.into_iter().filter(|rule| rule.is_enabled);
            let compile = |mut rule: RuleRecord| {
                let pattern = Pattern::parse(&rule.pattern?).map_err(Fault::internal);
                rule.targets.sort_by(|left, right| left.id.cmp(&right.id));
                Some(pattern.map(|pattern| Compiled {
                    name: rule.name,
                    pattern,
                    wants_reading_calls: rule.wants_reading_calls,
                    targets: rule.targets,
                }))
            };
            enabled.filter_map(compile).collect::<Result<Vec<_>, Fault>>().map(Some)
        };
        let id = format!("{}/{bus}", place.region);
        let kept = self.database.derived(&place.scope(), &id, compile).await?;
        Ok(kept.unwrap_or_default())
    }
}

#[async_trait]
impl Listeners for Events {
    async fn is_anybody_there(&self, account: &AccountId, region: &Region) -> Result<bool, Fault> {
        Ok(!self.compiled(&Place::new(account, region), bus::DEFAULT).await?.is_empty())
    }

    async fn want(&self, event: &Event) -> Result<bool, Fault> {
        let (account, region) = event.place();
        let rules = self.compiled(&Place::new(account, region), &event.bus).await?;
        let json = event.json();
        let seen = haechi_rules::Event::new(&json);
        Ok(rules.iter().any(|rule| rule.wants(event, &seen)))
    }
}
