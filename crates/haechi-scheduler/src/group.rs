//! Groups of schedules.

use haechi_core::Loaded;
use haechi_core::database::Unknown;
use haechi_scheduler_model::Error;
use haechi_wire::Timestamp;

use crate::store::{GroupRecord, Place, Tags};
use crate::{Scheduler, invalid};

/// The group that every account has in every Region.
pub(crate) const DEFAULT: &str = "default";

/// Tags on a group, at most.
const TAGS_MAX: usize = 50;

pub(crate) fn missing(name: &str) -> Error {
    Error::ResourceNotFoundException(format!("Schedule group {name} does not exist."))
}

/// A group that is made now.
pub(crate) fn new(name: &str, tags: Tags, now: Timestamp) -> GroupRecord {
    GroupRecord {
        name: name.to_owned(),
        tags,
        created_ms: now.millis(),
        modified_ms: now.millis(),
        client_token: None,
        unknown: Unknown::new(),
    }
}

/// Checks tags that are added: some keys are AWS's own.
pub(crate) fn check_added(tags: &Tags) -> Result<(), Error> {
    let is_reserved =
        |key: &String| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if tags.keys().any(is_reserved) {
        return Err(invalid("Tag keys beginning with aws: are reserved for system use."));
    }
    Ok(())
}

/// Checks how many tags there are.
pub(crate) fn check(tags: &Tags) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        let told = format!("A schedule group has at most {TAGS_MAX} tags.");
        return Err(Error::ServiceQuotaExceededException(told));
    }
    Ok(())
}

/// The name of a group in its ARN.
pub(crate) fn name(arn: &str) -> &str {
    arn.rsplit_once('/').map_or("", |(_, name)| name)
}

impl Scheduler {
    /// A group; the default one may have no row.
    pub(crate) async fn group(
        &self,
        place: &Place,
        name: &str,
    ) -> Result<Option<Loaded<GroupRecord>>, Error> {
        let found = self.database.load::<GroupRecord>(&place.group(name)).await?;
        if found.is_none() && name != DEFAULT {
            return Err(missing(name));
        }
        Ok(found)
    }
}
