//! `AddTags`.

use std::collections::{BTreeMap, BTreeSet};

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::AddTags;
use haechi_cloudtrail_model::shapes::{AddTagsRequest, AddTagsResponse, Tag};
use haechi_core::{Batch, Cx, Facts, Handle};

use crate::CloudTrail;
use crate::name::TrailId;

/// Tags that a trail may have.
const TAGS_MAX: usize = 50;

impl Handle<AddTags> for CloudTrail {
    async fn handle(&self, cx: &Cx, input: AddTagsRequest) -> Result<AddTagsResponse, Error> {
        let id = resource(cx, &input.resource_id)?;
        cx.authorize_knowing(&id.arn, &facts(&input.tags_list))?;
        let loaded = self.tagged_trail(cx, &id).await?;
        let mut trail = loaded.value.clone();
        merge(&mut trail.tags, input.tags_list)?;
        let mut batch = Batch::new();
        batch.replace(&loaded, &trail);
        self.database.commit(batch).await?;
        Ok(AddTagsResponse {})
    }
}

/// The trail whose ARN this is; tags are not addressed by name.
pub(super) fn resource(cx: &Cx, arn: &str) -> Result<TrailId, Error> {
    if !arn.starts_with("arn:") {
        return Err(Error::CloudTrailARNInvalidException(format!("{arn} is not a valid ARN")));
    }
    TrailId::parse(cx, arn)
}

/// What conditions see of the tags in a request.
pub(super) fn facts(tags: &[Tag]) -> Facts<'_> {
    let pairs = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_deref().unwrap_or_default()));
    Facts { put: pairs.collect(), ..Facts::default() }
}

/// Adds tags, over older ones of the same key.
pub(super) fn merge(tags: &mut BTreeMap<String, String>, added: Vec<Tag>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for tag in added {
        let reserved = tag.key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        if reserved || !seen.insert(tag.key.clone()) {
            return Err(Error::InvalidTagParameterException(format!(
                "Tag key {} is reserved, or given twice.",
                tag.key
            )));
        }
        tags.insert(tag.key, tag.value.unwrap_or_default());
    }
    if tags.len() > TAGS_MAX {
        return Err(Error::TagsLimitExceededException(
            "The number of tags per trail has exceeded the limit of 50.".to_owned(),
        ));
    }
    Ok(())
}

impl CloudTrail {
    /// As [`Self::home_trail`]; tag operations have an error of their own.
    pub(super) async fn tagged_trail(
        &self,
        cx: &Cx,
        id: &TrailId,
    ) -> Result<haechi_core::Loaded<crate::trail::TrailRecord>, Error> {
        self.home_trail(cx, id).await.map_err(|error| match error {
            Error::TrailNotFoundException(message) => Error::ResourceNotFoundException(message),
            other => other,
        })
    }
}
