//! Event selectors: which management events a trail keeps.
//!
//! Source: API Reference, EventSelector and AdvancedFieldSelector. haechi's records are all
//! management events, so selectors of data events are kept and shown but select nothing yet.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::shapes::{
    AdvancedEventSelector, AdvancedFieldSelector, DataResource, EventSelector, ReadWriteType,
};
use serde::{Deserialize, Serialize};

use crate::event::Event;

/// Selectors that a trail may have.
const BASIC_MAX: usize = 5;
/// Values in all advanced selectors of a trail together.
const VALUES_MAX: usize = 500;

/// Resources that the basic selectors of a trail may name together.
const RESOURCES_MAX: usize = 250;

/// Types of resources that basic selectors take, and the service in their ARNs.
const RESOURCE_TYPES: [(&str, &str); 3] = [
    ("AWS::DynamoDB::Table", "dynamodb"),
    ("AWS::Lambda::Function", "lambda"),
    ("AWS::S3::Object", "s3"),
];

/// Fields that advanced selectors may name.
const FIELDS: &[&str] = &[
    "errorCode",
    "eventCategory",
    "eventName",
    "eventSource",
    "eventType",
    "readOnly",
    "resources.ARN",
    "resources.type",
    "sessionCredentialFromConsole",
    "userIdentity.arn",
    "vpcEndpointId",
];

/// A trail's selectors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Selectors {
    /// The older kind.
    Basic(Vec<Basic>),
    /// By fields.
    Advanced(Vec<Advanced>),
}

/// A basic selector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Basic {
    read_write_type: String,
    include_management_events: bool,
    excluded_sources: Vec<String>,
    /// Type and values.
    data_resources: Vec<(String, Vec<String>)>,
}

/// An advanced selector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Advanced {
    name: Option<String>,
    fields: Vec<Field>,
}

/// What one field must be.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Field {
    field: String,
    equals: Option<Vec<String>>,
    starts_with: Option<Vec<String>>,
    ends_with: Option<Vec<String>>,
    not_equals: Option<Vec<String>>,
    not_starts_with: Option<Vec<String>>,
    not_ends_with: Option<Vec<String>>,
}

impl Default for Selectors {
    /// All management events.
    fn default() -> Self {
        Selectors::Basic(vec![Basic {
            read_write_type: "All".to_owned(),
            include_management_events: true,
            excluded_sources: Vec::new(),
            data_resources: Vec::new(),
        }])
    }
}

fn refused<T>(message: &str) -> Result<T, Error> {
    Err(Error::InvalidEventSelectorsException(message.to_owned()))
}

/// What an ARN of this service names beyond the service, nothing being everything; `None` for what
/// is no such ARN.
fn named<'a>(value: &'a str, service: &str) -> Option<&'a str> {
    let (partition, rest) = value.strip_prefix("arn:")?.split_once(':')?;
    let resource = rest.strip_prefix(service)?;
    let is_arn = partition.starts_with("aws") && (resource.is_empty() || resource.starts_with(':'));
    is_arn.then(|| resource.trim_start_matches(':'))
}

/// Whether a data resource of a basic selector is one that the event touched: one of those that its
/// values begin, or any, where a value goes no further than the service.
fn names((kind, values): &(String, Vec<String>), event: &Event<'_>) -> bool {
    let service = RESOURCE_TYPES.iter().find(|(name, _)| name == kind).map(|(_, service)| *service);
    event.resources.iter().filter(|seen| seen.kind == *kind).any(|seen| {
        values.iter().any(|value| {
            let all = service.is_some_and(|service| named(value, service) == Some(""));
            all || seen.arn == *value
                || (kind == "AWS::S3::Object" && seen.arn.starts_with(value.as_str()))
        })
    })
}

/// How many resources a basic selector names: those of a type of which it takes all do not count.
fn count_resources(kind: &str, values: &[String]) -> Result<usize, Error> {
    let Some((_, service)) = RESOURCE_TYPES.iter().find(|(name, _)| *name == kind) else {
        return refused(&format!("{kind} is no type of data resources of an event selector."));
    };
    let mut has_all = false;
    for value in values {
        match named(value, service) {
            Some(rest) => has_all |= rest.is_empty(),
            None => return refused(&format!("{value} is no ARN of a data resource of {kind}.")),
        }
    }
    Ok(if has_all { 0 } else { values.len() })
}

/// Refuses fields of an advanced selector that do not go together, and values that trails do not
/// know of those that have only a few.
fn check_together(fields: &[Field]) -> Result<(), Error> {
    let of = |name: &str| fields.iter().find(|field| field.field == name);
    let equals = |name: &str| of(name).and_then(|field| field.equals.as_deref());
    let Some([category]) = equals("eventCategory") else {
        return refused("A selector says by one eventCategory which events it is about.");
    };
    match (category.as_str(), of("resources.type")) {
        ("Data", Some(_)) | ("Management" | "NetworkActivity", None) => {}
        ("Data", None) => return refused("A selector of data events has resources.type."),
        ("Management" | "NetworkActivity", Some(_)) => {
            return refused("resources.type selects data events only.");
        }
        _ => return refused(&format!("{category} is no eventCategory of a trail.")),
    }
    match equals("readOnly") {
        None => Ok(()),
        Some([value]) if value == "true" || value == "false" => Ok(()),
        Some(_) => refused("readOnly is either true or false."),
    }
}

impl Selectors {
    /// Accepts basic selectors.
    pub(crate) fn basic(list: Vec<EventSelector>) -> Result<Selectors, Error> {
        if list.is_empty() || list.len() > BASIC_MAX {
            return refused("A trail has one to five event selectors.");
        }
        let mut resources = 0;
        let mut accepted = Vec::with_capacity(list.len());
        for selector in list {
            let excluded = selector.exclude_management_event_sources.unwrap_or_default();
            let known = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
            if !excluded.iter().all(|source| known.contains(&source.as_str())) {
                return refused(
                    "ExcludeManagementEventSources takes kms.amazonaws.com and rdsdata.amazonaws.com.",
                );
            }
            let mut data_resources = Vec::new();
            for resource in selector.data_resources.unwrap_or_default() {
                let (Some(kind), Some(values)) = (resource.r#type, resource.values) else {
                    return refused("A data resource has a type and values.");
                };
                resources += count_resources(&kind, &values)?;
                data_resources.push((kind, values));
            }
            let kind = selector.read_write_type.unwrap_or(ReadWriteType::All);
            accepted.push(Basic {
                read_write_type: kind.as_str().to_owned(),
                include_management_events: selector.include_management_events.unwrap_or(true),
                excluded_sources: excluded,
                data_resources,
            });
        }
        if resources > RESOURCES_MAX {
            return refused("A trail's event selectors have at most 250 data resources.");
        }
        Ok(Selectors::Basic(accepted))
    }

    /// Accepts advanced selectors.
    pub(crate) fn advanced(list: Vec<AdvancedEventSelector>) -> Result<Selectors, Error> {
        if list.is_empty() {
            return refused("A trail has at least one event selector.");
        }
        let mut values = 0;
        let mut accepted = Vec::with_capacity(list.len());
        for selector in list {
            let fields: Vec<Field> =
                selector.field_selectors.into_iter().map(Field::from).collect();
            for (index, field) in fields.iter().enumerate() {
                field.check()?;
                values += field.lists().into_iter().flatten().map(Vec::len).sum::<usize>();
                if fields.iter().skip(index + 1).any(|other| other.field == field.field) {
                    return refused("A field is selected by once in a selector.");
                }
            }
            check_together(&fields)?;
            accepted.push(Advanced { name: selector.name, fields });
        }
        if values > VALUES_MAX {
            return refused("A trail's advanced event selectors have at most 500 values.");
        }
        Ok(Selectors::Advanced(accepted))
    }

    /// Whether any of them selects this event.
    pub(crate) fn wants(&self, event: &Event<'_>) -> bool {
        match self {
            Selectors::Basic(list) => list.iter().any(|selector| selector.wants(event)),
            Selectors::Advanced(list) => {
                list.iter().any(|selector| selector.fields.iter().all(|field| field.holds(event)))
            }
        }
    }

    /// Whether they are others than those of a new trail.
    pub(crate) fn are_custom(&self) -> bool {
        match self {
            Selectors::Advanced(_) => true,
            Selectors::Basic(list) => list.iter().any(|selector| {
                selector.read_write_type != "All"
                    || !selector.include_management_events
                    || !selector.excluded_sources.is_empty()
                    || !selector.data_resources.is_empty()
            }),
        }
    }

    /// As they are answered: one of both is there.
    pub(crate) fn shown(&self) -> (Option<Vec<EventSelector>>, Option<Vec<AdvancedEventSelector>>) {
        match self {
            Selectors::Basic(list) => (Some(list.iter().map(Basic::shown).collect()), None),
            Selectors::Advanced(list) => (None, Some(list.iter().map(Advanced::shown).collect())),
        }
    }
}

impl Basic {
    fn wants(&self, event: &Event<'_>) -> bool {
        let kind = match self.read_write_type.as_str() {
            "ReadOnly" => event.read_only,
            "WriteOnly" => !event.read_only,
            _ => true,
        };
        if event.event_category == "Data" {
            return kind && self.data_resources.iter().any(|wanted| names(wanted, event));
        }
        kind && self.include_management_events
            && !self.excluded_sources.iter().any(|source| *source == event.event_source)
    }

    fn shown(&self) -> EventSelector {
        let data_resources = self.data_resources.iter().map(|(kind, values)| DataResource {
            r#type: Some(kind.clone()),
            values: Some(values.clone()),
        });
        EventSelector {
            read_write_type: ReadWriteType::parse(&self.read_write_type),
            include_management_events: Some(self.include_management_events),
            data_resources: Some(data_resources.collect()),
            exclude_management_event_sources: Some(self.excluded_sources.clone()),
        }
    }
}

impl Advanced {
    fn shown(&self) -> AdvancedEventSelector {
        let field_selectors = self.fields.iter().map(Field::shown).collect();
        AdvancedEventSelector { name: self.name.clone(), field_selectors }
    }
}

impl From<AdvancedFieldSelector> for Field {
    fn from(selector: AdvancedFieldSelector) -> Field {
        Field {
            field: selector.field,
            equals: selector.equals,
            starts_with: selector.starts_with,
            ends_with: selector.ends_with,
            not_equals: selector.not_equals,
            not_starts_with: selector.not_starts_with,
            not_ends_with: selector.not_ends_with,
        }
    }
}

impl Field {
    fn lists(&self) -> [&Option<Vec<String>>; 6] {
        [
            &self.equals,
            &self.starts_with,
            &self.ends_with,
            &self.not_equals,
            &self.not_starts_with,
            &self.not_ends_with,
        ]
    }

    fn check(&self) -> Result<(), Error> {
        if !FIELDS.contains(&self.field.as_str()) {
            return refused(&format!("{} is no field that events are selected by.", self.field));
        }
        let [equals, others @ ..] = self.lists();
        if equals.is_none() && others.iter().all(|list| list.is_none()) {
            return refused(&format!("{} is selected by an operator with values.", self.field));
        }
        let exact = ["eventCategory", "readOnly", "resources.type"].contains(&self.field.as_str());
        if exact && (equals.is_none() || others.iter().any(|list| list.is_some())) {
            return refused(&format!("{} is selected by Equals only.", self.field));
        }
        Ok(())
    }

    /// Whether the event's values satisfy every operator.
    fn holds(&self, event: &Event<'_>) -> bool {
        let values: Vec<&str> = match self.field.as_str() {
            "eventCategory" => vec![&event.event_category],
            "eventName" => vec![&event.event_name],
            "eventSource" => vec![&event.event_source],
            "eventType" => vec![&event.event_type],
            "readOnly" => vec![if event.read_only { "true" } else { "false" }],
            "resources.ARN" => event.resources.iter().map(|seen| seen.arn.as_ref()).collect(),
            "resources.type" => event.resources.iter().map(|seen| seen.kind.as_ref()).collect(),
            "userIdentity.arn" => event.user_identity.arn.as_deref().into_iter().collect(),
            "errorCode" => event.error_code.as_deref().into_iter().collect(),
            "sessionCredentialFromConsole" => vec!["false"],
            _ => Vec::new(),
        };
        let any = |list: &Option<Vec<String>>, test: fn(&str, &str) -> bool| {
            list.as_ref().map(|list| {
                values.iter().any(|value| list.iter().any(|wanted| test(value, wanted)))
            })
        };
        let equal = |value: &str, wanted: &str| value == wanted;
        let start = |value: &str, wanted: &str| value.starts_with(wanted);
        let end = |value: &str, wanted: &str| value.ends_with(wanted);
        any(&self.equals, equal).unwrap_or(true)
            && any(&self.starts_with, start).unwrap_or(true)
            && any(&self.ends_with, end).unwrap_or(true)
            && !any(&self.not_equals, equal).unwrap_or(false)
            && !any(&self.not_starts_with, start).unwrap_or(false)
            && !any(&self.not_ends_with, end).unwrap_or(false)
    }

    fn shown(&self) -> AdvancedFieldSelector {
        AdvancedFieldSelector {
            field: self.field.clone(),
            equals: self.equals.clone(),
            starts_with: self.starts_with.clone(),
            ends_with: self.ends_with.clone(),
            not_equals: self.not_equals.clone(),
            not_starts_with: self.not_starts_with.clone(),
            not_ends_with: self.not_ends_with.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
