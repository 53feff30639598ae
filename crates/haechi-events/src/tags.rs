//! Tags on buses and rules.

use haechi_core::{Batch, Cx, Facts};
use haechi_events_model::Error;
use haechi_events_model::shapes::Tag;
use haechi_wire::Fault;

use crate::store::{Place, RuleRecord, Tags};
use crate::{Events, bus, rule};

/// Tags on a resource, at most.
const TAGS_MAX: usize = 50;

/// New tags laid over others.
pub(crate) fn merged(mut existing: Tags, added: Vec<Tag>) -> Result<Tags, Error> {
    let is_reserved =
        |tag: &Tag| tag.key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if added.iter().any(is_reserved) {
        return Err(bus::invalid("Tag keys beginning with aws: are reserved for system use."));
    }
    existing.extend(added.into_iter().map(|tag| (tag.key, tag.value)));
    if existing.len() > TAGS_MAX {
        let told = "The requested resource exceeds the maximum number allowed.";
        return Err(Error::LimitExceededException(told.to_owned()));
    }
    Ok(existing)
}

/// As answers show them.
pub(crate) fn show(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

/// What an ARN of EventBridge's names.
enum Named<'a> {
    Bus(&'a str),
    Rule { bus: &'a str, name: &'a str },
}

/// Reads an ARN of the caller's account and Region: what is decided on another one is not to reach
/// what has the same name here.
fn parse<'a>(cx: &Cx, arn: &'a str) -> Option<Named<'a>> {
    let resource = arn.strip_prefix(&cx.arn("events", ""))?;
    if let Some(name) = resource.strip_prefix("event-bus/") {
        return Some(Named::Bus(name));
    }
    let rule = resource.strip_prefix("rule/")?;
    let (bus, name) = rule.rsplit_once('/').unwrap_or((bus::DEFAULT, rule));
    // Not by another name: `rule/default/x` is `rule/x`.
    (rule::arn(cx, bus, name) == arn).then_some(Named::Rule { bus, name })
}

impl Events {
    /// The tags of a resource, if it is there.
    async fn tags_of(&self, cx: &Cx, place: &Place, arn: &str) -> Result<Option<Tags>, Fault> {
        Ok(match parse(cx, arn) {
            Some(Named::Bus(name)) => self.bus(place, name).await?.map(|bus| bus.value.tags),
            Some(Named::Rule { bus, name }) => {
                let found = self.database.load::<RuleRecord>(&place.rule(bus, name)).await?;
                found.map(|rule| rule.value.tags)
            }
            None => None,
        })
    }

    /// Reads the tags of a resource, lets `change` make others of them, and writes those.
    pub(crate) async fn change_tags(
        &self,
        cx: &Cx,
        arn: &str,
        facts: Facts<'_>,
        change: impl FnOnce(Tags) -> Result<Tags, Error>,
    ) -> Result<Tags, Error> {
        let place = bus::place(cx);
        let now = self.tags_of(cx, &place, arn).await?;
        let facts = match parse(cx, arn) {
            Some(Named::Rule { .. }) => rule::known(facts, &place, now.as_ref()),
            _ => Facts { of_resource: now.as_ref(), ..facts },
        };
        cx.authorize_knowing(arn, &facts)?;
        let mut batch = Batch::new();
        let tags = match parse(cx, arn) {
            Some(Named::Bus(name)) => {
                let found = self.bus(&place, name).await?;
                let mut record = match &found {
                    Some(found) => found.value.clone(),
                    None if name == bus::DEFAULT => bus::new_record(cx, name),
                    None => return Err(bus::missing(name)),
                };
                let before = record.tags.clone();
                record.tags = change(record.tags)?;
                match &found {
                    _ if record.tags == before => {}
                    Some(found) => batch.replace(found, &record),
                    None => batch.create(place.bus(name), &record),
                }
                record.tags
            }
            Some(Named::Rule { bus, name }) => {
                let found = self.database.load::<RuleRecord>(&place.rule(bus, name)).await?;
                let found = found.ok_or_else(|| rule::missing(bus, name))?;
                let mut record = found.value.clone();
                let before = record.tags.clone();
                record.tags = change(record.tags)?;
                if record.tags != before {
                    batch.replace(&found, &record);
                }
                record.tags
            }
            None => {
                return Err(Error::ResourceNotFoundException(format!("{arn} does not exist.")));
            }
        };
        self.database.commit(batch).await?;
        Ok(tags)
    }
}
