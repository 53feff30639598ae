//! Tags on topics.

use std::collections::BTreeMap;

use haechi_core::{Cx, Facts};
use haechi_sns_model::Error;
use haechi_sns_model::shapes::Tag;

use crate::Sns;
use crate::arn::TopicArn;
use crate::error::invalid;
use crate::topic::Topic;

/// Tags on a topic, at most.
const TAGS_MAX: usize = 50;

/// Adds tags to those that a topic has, over older ones of the same key.
pub(crate) fn merge(tags: &mut BTreeMap<String, String>, added: &[Tag]) -> Result<(), Error> {
    let mut fresh = BTreeMap::new();
    for tag in added {
        if tag.key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(invalid("Tag keys must not begin with aws:"));
        }
        if fresh.insert(tag.key.clone(), tag.value.clone()).is_some() {
            return Err(invalid("Duplicated keys are not allowed."));
        }
    }
    tags.append(&mut fresh);
    if tags.len() > TAGS_MAX {
        let told = "Could not complete request: tag quota of per resource exceeded";
        return Err(Error::TagLimitExceededException(told.to_owned()));
    }
    Ok(())
}

impl Sns {
    /// The topic that tags are on; what does not exist is told otherwise than elsewhere.
    pub(crate) async fn tagged(
        &self,
        cx: &Cx,
        arn: &str,
        facts: Facts<'_>,
    ) -> Result<Topic, Error> {
        let arn = TopicArn::named(cx, "ResourceArn", arn)?;
        match self.topic_with(cx, arn, facts).await {
            Err(Error::NotFoundException(_)) => {
                Err(Error::ResourceNotFoundException("Resource does not exist".to_owned()))
            }
            found => found,
        }
    }
}
